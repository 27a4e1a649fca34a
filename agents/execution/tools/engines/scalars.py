"""Values of stores as JSON scalars: moments become Unix seconds, what has no scalar becomes text."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

_LARGEST = 2**63 - 1
_PLAIN = frozenset({str, bool, type(None)})


def scalar(value: Any) -> Any:
    """One value as a JSON scalar. A moment without a zone is taken as UTC; NaN and infinities become None."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if -_LARGEST <= value <= _LARGEST else float(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return scalar(float(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict | list | tuple | set):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def rows_of(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Rows with each value as a JSON scalar."""
    return [[scalar(value) for value in row] for row in rows]
