"""Arguments of a template against its declared parameters: strict types, bounds, known values, defaults."""

from collections.abc import Mapping
from typing import Any

from agents.execution.guards.verdict import Refuse
from registry.assets import Parameter, TemplateAsset
from registry.statements import argument_names
from schemas.errors import ErrorCode

_LONGEST_TEXT = 2_000


def template_arguments(template: TemplateAsset, args: Mapping[str, Any]) -> dict[str, Any] | Refuse:
    """The values a template runs with, or why the arguments do not fit.

    A time range `p` is given as `p_from` and `p_to`, Unix seconds. A template without a statement hands a time
    range to its tool as `from` and `to`.
    """
    owners = argument_names(template.parameters)
    unknown = sorted(args.keys() - owners.keys())
    if unknown:
        return _refuse(f"Unknown: {', '.join(name[:60] for name in unknown[:5])}.")
    values: dict[str, Any] = {}
    for name, owner in owners.items():
        parameter = template.parameters[owner]
        if name in args:
            fault = _fault(args[name], parameter)
            if fault is not None:
                return _refuse(f"{name} {fault}.")
            values[name] = args[name]
        elif parameter.type != "time_range" and parameter.default is not None:
            values[name] = parameter.default
        elif not (parameter.type == "time_range" and not template.statement):
            return _refuse(f"Missing: {name}.")
    return values if template.statement else _renamed(template, values)


def _renamed(template: TemplateAsset, values: dict[str, Any]) -> dict[str, Any]:
    for name, parameter in template.parameters.items():
        if parameter.type == "time_range":
            for edge in ("from", "to"):
                if f"{name}_{edge}" in values:
                    values[edge] = values.pop(f"{name}_{edge}")
    return values


def _fault(value: Any, parameter: Parameter) -> str | None:
    if parameter.type == "string":
        if not isinstance(value, str):
            return "must be a text"
        if len(value) > _LONGEST_TEXT or "\x00" in value:
            return "is too long"
        if parameter.resolver == "enum" and value not in parameter.values:
            return "is none of the known values"
        return None
    wanted = int if parameter.type == "integer" else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted) or value != value or abs(value) > 2**63 - 1:
        return "must be a whole number" if parameter.type == "integer" else "must be a number"
    if parameter.minimum is not None and value < parameter.minimum:
        return f"must be at least {parameter.minimum:g}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"must be at most {parameter.maximum:g}"
    return None


def _refuse(reason: str) -> Refuse:
    return Refuse(ErrorCode.INVALID_PARAMS, f"The parameters do not fit. {reason}")
