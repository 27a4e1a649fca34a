"""Do a step's parameters fit its tool? Judged while planning, as far as they are literal: what refers to an earlier
result is judged by the executor when it has arrived."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
from pydantic import BaseModel, ValidationError

from agents.execution.arguments import template_arguments
from agents.execution.declared import UnfitSchema, faults_against, with_defaults
from agents.references import fault_of, has_references, references_in
from registry.assets import ToolAsset
from registry.registry import Registry

_MOST_REFERENCES: Final = 32
_KEPT: Final = 4_096
_LARGEST_KEPT_BYTES: Final = 2_000

_CONTAINERS: Final = (dict, list, tuple)

_encode = msgspec.json.Encoder().encode


class Adapter(Protocol):
    """What planning may know of an adapter: which parameters it takes."""

    @property
    def parameters(self) -> type[BaseModel]: ...

    @property
    def statement_field(self) -> str | None: ...


class Fitting:
    """Judges parameters against the tool's own schema and its adapter's. Remembers what fitted."""

    def __init__(self, registry: Registry, adapters: Mapping[str, Adapter]) -> None:
        """`adapters` by tool type; a type that is not among them is judged by its tool's own schema alone."""
        self._registry = registry
        self._adapters = adapters
        self._fitting: dict[tuple[str, bytes], None] = {}

    def fault(self, tool: ToolAsset, params: Mapping[str, Any]) -> str | None:
        """What does not fit, as words to put after "has parameters that do not fit: "; None when all does.

        The parameters of a template are the template's to judge (templates.py)."""
        if "template" in params:
            return None
        try:
            key = tool.id, _encode(params)
        except (TypeError, ValueError, RecursionError):
            return "they are not JSON"
        if key in self._fitting:
            return None
        found = self._fault(tool, params)
        if found is None and len(key[1]) <= _LARGEST_KEPT_BYTES:
            if len(self._fitting) >= _KEPT:
                self._fitting.clear()
            self._fitting[key] = None
        return found

    def _fault(self, tool: ToolAsset, params: Mapping[str, Any]) -> str | None:
        schema = tool.parameters
        open_names = [name for name, value in params.items() if has_references(value)]
        literal = {name: value for name, value in params.items() if name not in open_names}
        if schema:
            declared = schema.get("properties", {})
            strange = sorted(params.keys() - declared.keys())
            if strange:
                return f"unknown: {', '.join(name[:60] for name in strange[:5])}"
            required = [name for name in schema.get("required", ()) if name not in open_names]
            try:
                faults = faults_against({**schema, "required": required} if open_names else schema, literal)
            except UnfitSchema:
                return None  # the executor refuses the tool
            if faults:
                return "; ".join(faults)
        adapter = self._adapters.get(tool.tool_type)
        if adapter is None:
            return None
        try:
            adapter.parameters.model_validate(with_defaults(schema, literal) if schema else literal)
        except ValidationError as error:
            faults = tuple(
                f"{'.'.join(str(part) for part in each['loc'])[:80] or 'parameters'}: {each['msg']}"
                for each in error.errors(include_url=False, include_context=False, include_input=False)
                if not (each["type"] == "missing" and each["loc"] and each["loc"][0] in open_names)
            )
            return "; ".join(faults[:5]) or None
        return None

    def instead(self, tool: ToolAsset, other: ToolAsset, params: Mapping[str, Any]) -> dict[str, Any] | str:
        """The parameters with which another tool does the same, or why it cannot take them.

        A template belongs to one tool; another tool of the same type is given what the template says."""
        given = dict(params)
        if "template" in given:
            expanded = self._expanded(tool, other, given)
            if expanded is None:
                return "it cannot run the template"
            given = expanded
        return self.fault(other, given) or given

    def _expanded(
        self, tool: ToolAsset, other: ToolAsset, params: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        template_id, args = params["template"], params.get("args", {})
        template = self._registry.template(template_id) if isinstance(template_id, str) else None
        if template is None or other.tool_type != tool.tool_type or has_references(args):
            return None
        values = template_arguments(template, args)
        if not isinstance(values, dict):
            return None
        if not template.statement:
            return {**template.call, **values}
        adapter = self._adapters.get(other.tool_type)
        field = adapter.statement_field if adapter is not None else None
        return None if field is None else {field: template.statement, "args": values}


def references_of(params: Mapping[str, Any]) -> tuple[str, ...] | str:
    """The steps that parameters refer to, each once, in order; or what is wrong with a reference."""
    for value in params.values():
        if isinstance(value, _CONTAINERS):
            break
    else:
        return ()
    found: dict[str, None] = {}
    for count, reference in enumerate(references_in(params)):
        fault = fault_of(reference)
        if fault is not None:
            return fault
        if count >= _MOST_REFERENCES:
            return f"are more than {_MOST_REFERENCES}"
        found[str(reference["$from"])] = None
    return tuple(found)
