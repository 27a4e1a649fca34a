"""Calls of templates: is the template this tool's, and do the arguments fit what it declares?"""

from collections.abc import Mapping
from typing import Any

from agents.references import is_reference
from registry.assets import Parameter, TemplateAsset, ToolAsset
from registry.registry import Registry
from registry.statements import argument_names
from schemas.errors import ErrorCode, OpsError, ops_error
from schemas.plans import Render


def render_of(template: TemplateAsset) -> Render:
    """How a template's result is shown; it travels with the step."""
    spec, measure = template.render, template.call.get("metric")
    return Render(
        title=spec.title or template.title,
        text=spec.text,
        show=spec.show,
        max_rows=spec.max_rows,
        title_ko=spec.title_ko,
        text_ko=spec.text_ko,
        measure=measure if isinstance(measure, str) else "",
    )


def check_template_call(
    registry: Registry, step_id: str, tool: ToolAsset, params: Mapping[str, Any]
) -> Render | OpsError:
    """The template's render when `{"template": id, "args": {…}}` fits it, else `PLAN_INVALID` naming the step."""
    template_id = params["template"]
    template = registry.template(template_id) if isinstance(template_id, str) else None
    if template is None or template.tool != tool.id:
        return _invalid(
            step_id, "asks for a template its tool does not have", f"template {template_id!r:.140}"
        )
    strange = sorted(params.keys() - {"template", "args"})
    if strange:
        return _invalid(step_id, "mixes a template with other parameters", ", ".join(strange)[:200])
    args = params.get("args", {})
    if not isinstance(args, dict):
        return _invalid(step_id, "gives args that are not an object", "args")
    known = argument_names(template.parameters)
    for name, value in args.items():
        if name not in known:
            return _invalid(
                step_id, "gives an argument its template does not declare", f"argument {name:.80}"
            )
        problem = "" if is_reference(value) else _misfit(template.parameters[known[name]], value)
        if problem:
            return _invalid(step_id, f"gives an argument that {problem}", f"argument {name}: {problem}")
    for name, owner in known.items():
        if name not in args and template.parameters[owner].default is None:
            return _invalid(step_id, f"lacks the argument {name}", f"argument {name}")
    return render_of(template)


def _misfit(parameter: Parameter, value: object) -> str:
    """What is wrong with an argument's value; empty when it fits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return "is neither text nor a number"
    if parameter.type == "string":
        if not isinstance(value, str):
            return "is not text"
        if parameter.resolver == "enum" and value not in parameter.values:
            return f"is none of {', '.join(parameter.values)}"
        return ""
    if isinstance(value, str) or (parameter.type == "integer" and not isinstance(value, int)):
        return "is not a number" if isinstance(value, str) else "is not a whole number"
    if parameter.minimum is not None and value < parameter.minimum:
        return f"is below {parameter.minimum:g}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"is above {parameter.maximum:g}"
    return ""


def _invalid(step_id: str, what: str, detail: str) -> OpsError:
    return ops_error(
        ErrorCode.PLAN_INVALID,
        f"Step '{step_id}' {what}.",
        detail=f"step {step_id}: {what} ({detail})",
        suggestion="compare the step with the template's declaration",
    )
