"""Tables as columns of values, and what the plant's tables look like."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

ColumnKind = Literal["int", "real", "text", "time", "day", "moment"]
"""`time` and `day` are Unix seconds here and texts in SQLite; `moment` stays a number everywhere but in ClickHouse."""

NO_TIME: Final = -1
"""Stands for an absent time in a column of times."""

SCHEMA: Final[Mapping[str, Mapping[str, ColumnKind]]] = {
    "tickets": {
        "id": "int", "tenant_id": "text", "title": "text", "body": "text", "status": "text", "priority": "text",
        "assignee": "text", "queue": "text", "created_at": "time", "updated_at": "time", "resolved_at": "time",
        "sla_minutes": "int", "tags": "text",
    },
    "incidents": {
        "id": "int", "tenant_id": "text", "service": "text", "severity": "text", "opened_at": "time",
        "closed_at": "time", "root_cause": "text", "commander": "text",
    },
    "metrics_daily": {
        "tenant_id": "text", "day": "day", "service": "text", "metric": "text", "value": "real",
        "samples": "int",
    },
    "hosts": {
        "id": "int", "tenant_id": "text", "hostname": "text", "region": "text", "role": "text",
        "cpu_cores": "int", "mem_gb": "int", "last_seen_at": "time",
    },
    "deployments": {
        "id": "int", "tenant_id": "text", "service": "text", "version": "text", "deployed_at": "time",
        "deployed_by": "text", "outcome": "text",
    },
    "grants_history": {
        "id": "int", "tenant_id": "text", "granted_to": "text", "permission": "text", "granted_at": "time",
        "revoked_at": "time",
    },
    "alerts": {
        "id": "int", "tenant_id": "text", "host_id": "int", "rule": "text", "state": "text", "fired_at": "time",
        "cleared_at": "time",
    },
    "orders": {
        "id": "int", "tenant_id": "text", "customer_ref": "text", "amount": "real", "currency": "text",
        "status": "text", "created_at": "time", "updated_at": "time",
    },
    "teams": {"id": "int", "tenant_id": "text", "name": "text", "parent_id": "int"},
    "change_log": {
        "id": "int", "tenant_id": "text", "table": "text", "update": "int", "delete": "int", "set": "text",
        "note": "text", "at": "time",
    },
    "metrics_minute": {
        "tenant_id": "text", "metric": "text", "series": "text", "at": "moment", "value": "real",
    },
}  # fmt: skip
"""Table → its columns and their kinds. Several names are words of SQL, on purpose."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "metrics_daily": ("tenant_id", "metric", "service", "day"),
    "metrics_minute": ("tenant_id", "metric", "series", "at"),
}
"""What identifies a row, where that is not its id."""

NULLABLE: Final = frozenset(
    {
        ("tickets", "assignee"), ("tickets", "resolved_at"), ("incidents", "closed_at"),
        ("incidents", "root_cause"), ("grants_history", "revoked_at"), ("alerts", "cleared_at"),
        ("teams", "parent_id"),
    }
)  # fmt: skip

Values = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or a part of one: `columns` holds equally long values by column, in the schema's order."""

    name: str
    columns: Mapping[str, Values]

    @property
    def row_count(self) -> int:
        return len(next(iter(self.columns.values())))

    def lists(self, *, times_as_text: bool) -> Iterator[list[Any]]:
        """Each column as a list of Python values; times as texts, or as moments with a time zone."""
        for name, kind in SCHEMA[self.name].items():
            values = self.columns[name]
            if kind in ("time", "day"):
                found = np.asarray(values, dtype=np.int64)
                yield _texts(found, kind) if times_as_text else _moments(found, kind)
            else:
                yield values.tolist() if isinstance(values, np.ndarray) else list(values)


def _texts(seconds: NDArray[np.int64], kind: str) -> list[str | None]:
    stamps = seconds.astype("datetime64[s]")
    unit: Literal["D", "s"] = "D" if kind == "day" else "s"
    said = np.char.replace(np.datetime_as_string(stamps, unit=unit), "T", " ").tolist()
    return [
        None if absent else text for text, absent in zip(said, (seconds == NO_TIME).tolist(), strict=True)
    ]


def _moments(seconds: NDArray[np.int64], kind: str) -> list[Any]:
    moments = [None if each == NO_TIME else datetime.fromtimestamp(each, UTC) for each in seconds.tolist()]
    return [None if each is None else each.date() for each in moments] if kind == "day" else moments
