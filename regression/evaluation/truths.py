"""Truths: what an expectation's SQL finds in the plant."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from regression.evaluation.cases import ExpectedValue

MAX_ROWS = 200
_SECONDS = 30.0


class NoTruth(ValueError):
    """The SQL of an expectation cannot be run."""


class Truths:
    """Asks the plant's SQLite, read-only. `:tenant` in a statement is the case's tenant."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, expected: ExpectedValue, tenant: str) -> list[Any]:
        """All scalars an expectation stands for: its value, or every cell its SQL finds, row by row; None and blanks
        are left out. Raises `NoTruth`."""
        if expected.sql is None:
            return list(expected.value) if isinstance(expected.value, list) else [expected.value]
        return [
            cell
            for row in self._rows(expected.sql, tenant)
            for cell in row
            if cell is not None and cell != ""
        ]

    def _rows(self, sql: str, tenant: str) -> Sequence[Sequence[Any]]:
        try:
            with closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=_SECONDS)
            ) as db:
                return db.execute(sql, {"tenant": tenant}).fetchmany(MAX_ROWS)
        except sqlite3.Error as error:
            raise NoTruth(f"{error}") from None
