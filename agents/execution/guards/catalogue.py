"""A catalogue written down: which tables a statement may ask, for the policy simulator and for trying out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.execution.guards.verdict import Bounds

_DEFAULT_ROW_CAP = 5_000


class CatalogueError(Exception):
    """The file holds no catalogue; `reason` says what is wrong with it, `hint` how it should look."""

    hint = 'A catalogue is {"tenant_column": NAME, "row_cap": NUMBER, "tables": {TABLE: [COLUMN, ...]}}.'

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_catalogue(path: Path) -> Bounds:
    """Read a catalogue from a JSON file. Raises `CatalogueError`."""
    try:
        written = json.loads(path.read_bytes())
    except OSError as error:
        raise CatalogueError(f"The catalogue cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise CatalogueError("The catalogue is not JSON") from error
    return catalogue_of(written)


def catalogue_of(written: Any) -> Bounds:
    """A catalogue from its JSON form. Raises `CatalogueError`."""
    if not isinstance(written, Mapping):
        raise CatalogueError("The catalogue is no JSON object")
    tables, column = written.get("tables"), written.get("tenant_column")
    row_cap = written.get("row_cap", _DEFAULT_ROW_CAP)
    if not isinstance(tables, Mapping) or not all(_names(columns) for columns in tables.values()):
        raise CatalogueError("The catalogue's tables are not lists of column names")
    if column is not None and not (isinstance(column, str) and column):
        raise CatalogueError("The catalogue's tenant_column is no name")
    if not isinstance(row_cap, int) or isinstance(row_cap, bool) or row_cap < 1:
        raise CatalogueError("The catalogue's row_cap is no whole number above 0")
    return Bounds({name: tuple(columns) for name, columns in tables.items()}, column, row_cap)


def _names(columns: Any) -> bool:
    return isinstance(columns, list) and all(isinstance(each, str) and each for each in columns)
