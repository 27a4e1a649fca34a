"""Turn orders.csv into orders.db beside it: `python examples/packs/shop/make_db.py [FOLDER]`."""

import csv
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
DAY_S = 86_400.0


def make_db(folder: Path, now: float) -> Path:
    """Write `orders.db` into a folder, its orders dated relative to `now` (Unix seconds); returns its path."""
    path = folder / "orders.db"
    path.unlink(missing_ok=True)
    with (HERE / "orders.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            (
                int(row["id"]),
                row["customer"],
                row["product"],
                float(row["amount"]),
                row["status"],
                # A minute earlier, so that an order of today lies in the past.
                now - float(row["days_ago"]) * DAY_S - 60,
            )
            for row in csv.DictReader(file)
        ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, product TEXT NOT NULL,"
            " amount REAL NOT NULL, status TEXT NOT NULL, ordered_at REAL NOT NULL)"
        )
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", rows)
    return path


if __name__ == "__main__":
    print(make_db(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE, time.time()))
