"""A Prometheus reply as rows: one series as a series, several as a table, a scalar as a figure."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from agents.execution.tools.http_reply import malformed
from schemas.calls import Shape, Unit
from schemas.errors import OpsError

AT, VALUE, SERIES = "at", "value", "series"
_NAME = "__name__"


class Read(NamedTuple):
    """Rows in order of time, oldest first."""

    shape: Shape
    columns: tuple[str, ...]
    rows: list[list[Any]]
    facts: dict[str, Any]
    units: dict[str, Unit]


def read_reply(document: Any, hidden_label: str) -> Read | OpsError:
    """The result of a query. Without the tenant's label, which says nothing to its tenant."""
    try:
        found = document["data"]
        kind, result = found["resultType"], found["result"]
        if kind == "scalar":
            return _scalar(result)
        if kind == "vector":
            return _vector(result, hidden_label)
        if kind == "matrix":
            return _matrix(result, hidden_label)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return malformed(
            "The service's reply is not of its declared form.", f"{type(error).__name__}: {error}"
        )
    return malformed("The service's reply is not of its declared form.", "an unknown kind of result")


def _scalar(result: Any) -> Read:
    return Read(
        Shape.FACTS, (), [], {"value": _number(result[1]), "at": float(result[0])}, {"at": Unit.TIMESTAMP}
    )


def _vector(result: list[Any], hidden: str) -> Read:
    names = _label_names(result, hidden)
    rows = [
        [
            *(_shown(each["metric"], name) for name in names),
            _number(each["value"][1]),
            float(each["value"][0]),
        ]
        for each in result
    ]
    facts = {"value": rows[0][-2]} if len(rows) == 1 else {}
    columns = (*("metric" if name == _NAME else name for name in names), VALUE, AT)
    return Read(Shape.TABLE, columns, rows, {**facts, "series_count": len(rows)}, {AT: Unit.TIMESTAMP})


def _matrix(result: list[Any], hidden: str) -> Read:
    units = {AT: Unit.TIMESTAMP, VALUE: Unit.NUMBER}
    rows: list[list[Any]]
    if len(result) <= 1:
        rows = [[float(at), _number(value)] for at, value in (result[0]["values"] if result else ())]
        return Read(Shape.SERIES, (AT, VALUE), rows, {"series_count": len(result), **_figures(rows)}, units)
    rows = [
        [float(at), _number(value), _title(each["metric"], hidden)]
        for each in result
        for at, value in each["values"]
    ]
    rows.sort(key=lambda row: (row[0], row[2]))
    return Read(Shape.TABLE, (AT, VALUE, SERIES), rows, {"series_count": len(result)}, units)


def _figures(rows: list[list[Any]]) -> dict[str, Any]:
    values = [row[1] for row in rows if row[1] is not None]
    if not values:
        return {}
    return {
        "last": values[-1],
        "min": min(values),
        "max": max(values),
        "mean": sum(values) / len(values),
    }


def _label_names(result: list[Any], hidden: str) -> list[str]:
    names = dict.fromkeys(str(name) for each in result[:500] for name in each["metric"])
    return [name for name in names if name != hidden][:50]


def _shown(metric: Mapping[str, Any], name: str) -> str | None:
    value = metric.get(name)
    return None if value is None else str(value)


def _title(metric: Mapping[str, Any], hidden: str) -> str:
    labels = [f"{name}={value}" for name, value in sorted(metric.items()) if name not in (hidden, _NAME)]
    name = str(metric.get(_NAME, ""))
    return f"{name}{{{', '.join(labels)}}}" if labels else name


def _number(text: Any) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
