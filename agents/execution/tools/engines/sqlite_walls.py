"""SQLite's second wall: a statement sees temporary views of its tenant's rows, and nothing else of the store.

A view of a known name stands over an inner view whose name nobody can guess; only through the inner one may a table
be read. So a statement that slipped past the guard can neither name the table nor pass for the view.
"""

import re
import secrets
import sqlite3
from collections.abc import Callable

from registry.assets import SourceAsset

_REFUSED_FUNCTIONS = frozenset(
    {
        "load_extension",
        "readfile",
        "writefile",
        "edit",
        "fts3_tokenizer",
        "randomblob",
        "zeroblob",
        "sqlite_log",
    }
)
_BODY = re.compile(
    r"""\s*CREATE\s+VIEW\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+|"(?:[^"]|"")*"|`[^`]*`|\[[^]]*\])\s+AS\s+(.*)""",
    re.IGNORECASE | re.DOTALL,
)

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def build_views(
    connection: sqlite3.Connection, source: SourceAsset, tenant_id: str, statement: str
) -> Authorizer:
    """Make the views of those tables that the statement could mean, and give the authorizer that keeps to them."""
    asked = statement.lower()
    walls = _Walls(_views_of_the_store(connection))
    for table, columns in source.tables.items():
        if table.lower() not in asked:
            continue
        hidden = _unguessable()
        listed = ", ".join(map(_quoted, columns)) or "*"
        rows = (
            ""
            if source.tenant_column is None
            else f" WHERE {_quoted(source.tenant_column)} = {_text(tenant_id)}"
        )
        origin = walls.origin_of(connection, table)
        connection.execute(f"CREATE TEMP VIEW {hidden} AS SELECT {listed} FROM {origin}{rows}")
        connection.execute(f"CREATE TEMP VIEW {_quoted(table)} AS SELECT * FROM {hidden}")
        walls.inner[hidden] = table.lower()
        walls.views.add(table.lower())
    return walls.allows


class _Walls:
    """What may be read through which view."""

    def __init__(self, stored_views: dict[str, str]) -> None:
        self._stored_views = stored_views
        self.inner: dict[str, str] = {}
        """Hidden view to the one table it reads."""
        self.bodies: set[str] = set()
        """Hidden views that stand for views of the store: they read what those read."""
        self.views: set[str] = set()

    def origin_of(self, connection: sqlite3.Connection, table: str) -> str:
        """Where a hidden view reads: the table, or, for a view of the store, its body under a hidden name. What a
        view reads is read in its name, and a name that is known could be taken by a CTE."""
        body = self._stored_views.get(table.lower())
        if body is None:
            return f"main.{_quoted(table)}"
        hidden = _unguessable()
        connection.execute(f"CREATE TEMP VIEW {hidden} AS {body}")
        self.bodies.add(hidden)
        return hidden

    def allows(
        self, action: int, first: str | None, second: str | None, place: str | None, through: str | None
    ) -> int:
        """The authorizer. Reading goes through the views; functions that reach out are refused, all else too."""
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and first is not None:
            return self._reads(first.lower(), place, (through or "").lower())
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _REFUSED_FUNCTIONS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _reads(self, table: str, place: str | None, through: str) -> int:
        if place == "temp":
            allowed = table in self.views or table in self.bodies or table in self.inner
        elif place == "main":
            allowed = self.inner.get(through) == table or through in self.bodies
        else:
            # What a statement derives itself has no place: its own subqueries and CTEs.
            allowed = place is None
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _views_of_the_store(connection: sqlite3.Connection) -> dict[str, str]:
    """Views of the store and what stands behind their AS."""
    found = connection.execute(
        "SELECT lower(name), sql FROM main.sqlite_schema WHERE type = 'view'"
    ).fetchall()
    bodies = ((name, _BODY.match(sql)) for name, sql in found)
    return {name: body.group(1) for name, body in bodies if body is not None}


def _unguessable() -> str:
    return f"v{secrets.token_hex(12)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
