"""What a language model is told of the world: the tools that this asker may use, in short, and nothing else.

No source's address, no credential, no other tenant's tool or name. The size is bounded; what speaks least for the
question is left out first.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agents.llm.settings import COMPOSER
from agents.planning.context import PlanningContext
from agents.planning.validation import Asker, usable
from registry.assets import Parameter, TemplateAsset, ToolAsset
from registry.datasets import DatasetAsset
from registry.registry import Registry
from schemas.questions import Mode, QuestionAsked

MAX_VIEW_CHARACTERS: Final = 24_000
"""Of everything that is told about tools; some 6,000 tokens."""
_EXAMPLES: Final = 2
_MOST_VALUES: Final = 30
_LONGEST_TEXT: Final = 200
_WORD: Final = re.compile(r"[a-z0-9_]{2,}|[가-힣]{2,}")

ParametersOf = Callable[[ToolAsset], Mapping[str, Any]]
"""A tool → the JSON schema of a call's parameters; empty when nothing is known."""

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class View:
    """The part of the registry that one question may be planned with."""

    tools: Mapping[str, ToolAsset]
    templates: Mapping[str, TemplateAsset]
    told: Mapping[str, Any]
    """As JSON: tools, templates, datasets, and how much was left out."""


def view_of(
    question: QuestionAsked,
    context: PlanningContext,
    parameters_of: ParametersOf,
    *,
    max_characters: int = MAX_VIEW_CHARACTERS,
) -> View:
    """What the asker of the question may use, without what the context says to avoid."""
    registry = context.registry
    asker = Asker(question.tenant_id, question.user.roles, question.options.tools)
    open_tools: dict[str, ToolAsset] = {
        tool_id: tool
        for tool_id, tool in sorted(registry.tools.items())
        if usable(tool, asker) and tool_id not in context.avoid and tool_id != COMPOSER
    }
    templates = [
        each for each in registry.templates(asker.tenant_id, question.mode) if each.tool in open_tools
    ]
    datasets = [
        each
        for each in registry.datasets(asker.tenant_id)
        if each.tool in open_tools and (question.mode is Mode.ALL or question.mode in each.modes)
    ]
    if question.mode is not Mode.ALL:  # a tool has no mode but that of what it answers
        of_mode = {each.tool for each in templates} | {each.tool for each in datasets}
        open_tools = {tool_id: tool for tool_id, tool in open_tools.items() if tool_id in of_mode}
    parts: list[tuple[str, str, dict[str, Any]]] = [
        *[("tools", each.id, _tool(each, registry, parameters_of)) for each in open_tools.values()],
        *[("templates", each.id, _template(each, context)) for each in templates],
        *[("datasets", each.id, _dataset(each)) for each in datasets],
    ]
    told = _bounded(parts, question.question, max_characters)
    kept = {section: {each["id"] for each in told[section]} for section in ("tools", "templates")}
    return View(
        {tool_id: tool for tool_id, tool in open_tools.items() if tool_id in kept["tools"]},
        {each.id: each for each in templates if each.id in kept["templates"]},
        told,
    )


def _bounded(
    parts: Iterable[tuple[str, str, dict[str, Any]]], question: str, max_characters: int
) -> dict[str, Any]:
    """The parts that share most words with the question, as many as fit, in their old order."""
    wanted = set(_WORD.findall(question.lower()))
    sized = []
    for at, (section, _, told) in enumerate(parts):
        text = _encode(told).decode()
        shared = len(wanted & set(_WORD.findall(text.lower())))
        sized.append((section != "tools", -shared, at, len(text), section, told))
    left, kept = max_characters, []
    for _, _, at, size, section, told in sorted(sized, key=lambda each: each[:3]):
        if size <= left:
            left -= size
            kept.append((at, section, told))
    found: dict[str, Any] = {"tools": [], "templates": [], "datasets": []}
    for _, section, told in sorted(kept, key=lambda each: each[0]):
        found[section].append(told)
    tools = {each["id"] for each in found["tools"]}
    for section in ("templates", "datasets"):
        found[section] = [each for each in found[section] if each["tool"] in tools]
    return {**found, "left_out": len(sized) - sum(map(len, found.values()))}


def _tool(tool: ToolAsset, registry: Registry, parameters_of: ParametersOf) -> dict[str, Any]:
    source = registry.source(tool.source) if tool.source else None
    told: dict[str, Any] = {
        "id": tool.id,
        "type": tool.tool_type,
        "what": _short(tool.description or tool.name),
    }
    if source is not None and source.tables:
        hidden = source.tenant_column
        told["tables"] = {
            table: [column for column in columns if column != hidden]
            for table, columns in source.tables.items()
        }
        told["dialect"] = source.engine
    schema = tool.parameters or parameters_of(tool)
    if schema:
        told["parameters"] = _schema(schema)
    return told


def _template(template: TemplateAsset, context: PlanningContext) -> dict[str, Any]:
    return {
        "id": template.id,
        "tool": template.tool,
        "what": _short(template.title),
        "examples": [_short(text) for text in template.examples[:_EXAMPLES]],
        "args": {name: _argument(each, context) for name, each in template.parameters.items()},
    }


def _argument(parameter: Parameter, context: PlanningContext) -> dict[str, Any]:
    told: dict[str, Any] = {"type": parameter.type}
    values = [*parameter.values]
    if parameter.values_from:
        values += context.known_values(parameter.values_from)[:_MOST_VALUES]
    if values:
        told["values"] = [_short(value) for value in values[:_MOST_VALUES]]
    if parameter.default is not None:
        told["default"] = parameter.default
    for name in ("minimum", "maximum"):
        if getattr(parameter, name) is not None:
            told[name] = getattr(parameter, name)
    return told


def _dataset(dataset: DatasetAsset) -> dict[str, Any]:
    fields = {}
    for name, each in dataset.fields.items():
        if each.computed:
            continue
        said = [each.type, *([each.unit] if each.unit else []), *list(each.values)[:_MOST_VALUES]]
        fields[name] = " ".join(said)
    return {
        "id": dataset.id,
        "tool": dataset.tool,
        "table": dataset.table,
        "what": _short(f"{dataset.title}: {', '.join(dataset.nouns[:4])}"),
        "time": dataset.time,
        "fields": fields,
    }


_DROPPED: Final = frozenset({"title", "default", "$schema"})


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema without what a reader does not need."""
    return {
        name: _schema(value)
        if isinstance(value, dict)
        else [_schema(each) if isinstance(each, dict) else each for each in value]
        if isinstance(value, list | tuple)
        else _short(value)
        if isinstance(value, str)
        else value
        for name, value in schema.items()
        if not (name in _DROPPED and not isinstance(value, dict))
    }


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
