"""What a dynamic call asked, in words fit for a user: titles and fields as the pack's author named them, no SQL."""

from collections.abc import Mapping
from typing import Any, Final

from agents.execution.guards.operators import operator_named
from agents.execution.tools.dynamic_parameters import Aggregate, Bucket, DynamicFilter, DynamicParameters
from registry.datasets import DatasetAsset

_LONGEST: Final = 60
_OPS: Final[Mapping[str, str]] = {
    "eq": "is", "ne": "is not", "lt": "<", "gt": ">", "lte": "≤", "gte": "≥", "like": "is like", "ilike": "is like",
    "in": "is one of", "not_in": "is none of", "between": "is between", "is_null": "is empty", "not_null": "is set",
}  # fmt: skip


def in_words(params: DynamicParameters, dataset: DatasetAsset | None) -> str:
    """ "Outages: count where severity is sev1 and opened_at ≥ 2026-11-09 00:00:00, by service, the 5 largest"."""
    title = dataset.title if dataset is not None else "a table"
    asked = ", ".join(_figure(each) for each in params.aggregates)
    if not asked:
        asked = "count" if params.group_by else ", ".join(params.fields) or "rows"
    parts = [f"{title}: {asked}"]
    if params.filters:
        parts[0] += " where " + " and ".join(_filter(each) for each in params.filters)
    if params.group_by:
        parts.append("by " + ", ".join(_group(each) for each in params.group_by))
    if params.having:
        parts.append("having " + " and ".join(_filter(each) for each in params.having))
    if params.order_by:
        parts.append(
            "ordered by "
            + ", ".join(f"{each.field}{' descending' if each.desc else ''}" for each in params.order_by)
        )
    if params.limit is not None:
        parts.append(f"at most {params.limit}")
    return ", ".join(parts)


def _figure(each: Aggregate) -> str:
    figure = each.fn if each.field is None else f"{each.fn} of {each.field}"
    if each.where:
        figure += f" ({' and '.join(_filter(one) for one in each.where)})"
    return figure


def _group(each: str | Bucket) -> str:
    return each if isinstance(each, str) else f"{each.bucket} of {each.field}"


def _filter(each: DynamicFilter) -> str:
    op = _OPS[operator_named(each.op) or "eq"]
    if each.value is None:
        return f"{each.field} {op}"
    if isinstance(each.value, list):
        joint = " and " if operator_named(each.op) == "between" else ", "
        return f"{each.field} {op} {joint.join(_short(one) for one in each.value)}"
    return f"{each.field} {op} {_short(each.value)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
