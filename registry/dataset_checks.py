"""What must hold of a dataset: its tool, table, columns, fields and the fields that others name."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from registry.assets import SourceAsset, ToolAsset
from registry.datasets import DatasetAsset, DatasetField, DatasetFilter
from registry.pack import Pack

TOOL_TYPES = ("dynamic",)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_TIMES = ("time", "date")


@dataclass(frozen=True, slots=True)
class DatasetFault:
    """Something wrong with a dataset: its id, the reason, the hint."""

    dataset_id: str
    reason: str
    hint: str


def dataset_faults(pack: Pack) -> Iterator[DatasetFault]:
    """All faults of a pack's datasets, in their order."""
    tools = {tool.id: tool for tool in pack.tools}
    sources = {source.id: source for source in pack.sources}
    datasets = {dataset.id: dataset for dataset in pack.datasets}
    claimed: dict[tuple[str, str], str] = {}
    for dataset in pack.datasets:
        for reason, hint in _faults(dataset, tools, sources, datasets):
            yield DatasetFault(dataset.id, f"{dataset.id} {reason}", hint)
        first = claimed.setdefault((dataset.tool, dataset.table), dataset.id)
        if first != dataset.id:
            reason = f"{dataset.id} describes the table {dataset.table}, which {first} does already"
            yield DatasetFault(dataset.id, reason, "Describe each table once for each tool.")


def _faults(
    dataset: DatasetAsset,
    tools: Mapping[str, ToolAsset],
    sources: Mapping[str, SourceAsset],
    datasets: Mapping[str, DatasetAsset],
) -> Iterator[tuple[str, str]]:
    tool = tools.get(dataset.tool)
    if tool is None:
        yield f"names the unknown tool {dataset.tool}", _near(dataset.tool, tools)
        return
    if tool.tool_type not in TOOL_TYPES:
        yield f"is asked through {tool.id}, which is no dynamic tool", "Name a tool of tool_type dynamic."
    source = sources.get(tool.source or "")
    tables = {} if source is None else source.tables
    if source is not None and dataset.table not in tables:
        yield f"describes the unknown table {dataset.table}", _near(dataset.table, tables)
        return
    columns = tables.get(dataset.table, [])
    for name, field in dataset.fields.items():
        yield from _field_faults(name, field, dataset, columns, datasets)
    yield from _naming_faults(dataset, datasets)


def _field_faults(
    name: str,
    field: DatasetField,
    dataset: DatasetAsset,
    columns: Iterable[str],
    datasets: Mapping[str, DatasetAsset],
) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(name):
        yield f"has a field with the strange name {name!r}", "Use letters, digits and underscores."
    if field.elapsed is not None and field.expression is not None:
        yield f"computes the field {name} twice", "Give elapsed or expression, not both."
    if not field.computed and columns and name not in columns:
        yield f"has the field {name}, which is no column", _near(name, columns)
    if field.computed and name in columns:
        yield f"computes the field {name}, which is a column already", "Give it another name."
    if field.type == "enum" and not field.values:
        yield f"has the enum {name} without values", "List them under values."
    if field.elapsed is not None:
        for edge in (field.elapsed.start, field.elapsed.end):
            if edge not in dataset.fields or dataset.fields[edge].type not in _TIMES:
                yield f"measures {name} from or to {edge}, which is no time", "Name fields of type time."
    if field.refers_to is not None:
        other = datasets.get(field.refers_to)
        if other is None:
            yield (
                f"refers with {name} to the unknown dataset {field.refers_to}",
                _near(field.refers_to, datasets),
            )
        elif other.key is None or other.tool != dataset.tool:
            yield f"refers with {name} to {other.id}, which has no key or another tool", "Give it a key."


def _naming_faults(dataset: DatasetAsset, datasets: Mapping[str, DatasetAsset]) -> Iterator[tuple[str, str]]:
    """Fields that the dataset speaks of and does not have."""
    named: list[tuple[str, str]] = [("label", each) for each in dataset.label]
    named += [(what, name) for what, name in (("key", dataset.key), ("time", dataset.time)) if name]
    for title, measure in dataset.measures.items():
        named += [(f"measure {title}", each) for each in measure.group_by]
        named += _filtered(f"measure {title}", measure.filters)
        if measure.field is not None:
            named.append((f"measure {title}", measure.field))
        elif measure.fn != "count":
            yield f"has the measure {title}, {measure.fn} of nothing", "Give it a field."
    for title, condition in dataset.conditions.items():
        named += _filtered(f"condition {title}", condition.filters)
    for what, name in named:
        if not _known(name, dataset, datasets):
            yield f"names the unknown field {name} in its {what}", _near(name, dataset.fields)
    if dataset.time in dataset.fields and dataset.fields[dataset.time or ""].type not in _TIMES:
        yield f"takes {dataset.time} for its time, which is no time", "Name a field of type time or date."
    if dataset.default_measure is not None and dataset.default_measure not in dataset.measures:
        yield (
            f"has the unknown default measure {dataset.default_measure}",
            _near(dataset.default_measure, dataset.measures),
        )


def _filtered(what: str, filters: Iterable[DatasetFilter]) -> list[tuple[str, str]]:
    return [(what, each.field) for each in filters]


def _known(name: str, dataset: DatasetAsset, datasets: Mapping[str, DatasetAsset]) -> bool:
    """Is it a field, or a field of what a field refers to (`host_id.region`)?"""
    own, dot, other = name.partition(".")
    field = dataset.fields.get(own)
    if field is None or not dot:
        return field is not None
    target = datasets.get(field.refers_to or "")
    return target is not None and other in target.fields


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known: {', '.join(names[:8])}." if names else "There is none."
