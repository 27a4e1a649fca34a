"""The middle of the path: parameters against their schema, then the tool's own guard, to an `Invocation`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from agents.execution.admission import Admitted
from agents.execution.arguments import template_arguments
from agents.execution.declared import UnfitSchema, faults_against, with_defaults
from agents.execution.guards.by_engine import GUARDS
from agents.execution.guards.verdict import Allow, Refuse, Verdict
from agents.execution.tool import Built, Invocation
from registry.assets import TemplateAsset
from registry.registry import Registry
from schemas.calls import ToolCalled
from schemas.errors import ErrorCode

_KEPT_VERDICTS = 2_048
_LONGEST_KEPT = 8_000
"""Longer statements are judged anew each time, so that what is kept stays small."""

_TYPES: Mapping[type, str] = {str: "String", int: "Int64", float: "Float64", bool: "Bool"}
"""Types of bound values as ClickHouse names them."""

_Key = tuple[str, int, str, int, int, str, tuple[tuple[str, str], ...]]


_Asked = tuple[TemplateAsset | None, Mapping[str, Any], Mapping[str, Any], str]


class Asking:
    """Turns what a call says into what an adapter may run, or refuses it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._verdicts: dict[_Key, Verdict] = {}

    def invocation(
        self, called: ToolCalled, admitted: Admitted, timeout_s: float, now: float
    ) -> Invocation | Refuse:
        """Check the call's parameters and guard its statement; an override may lift the guard's refusal."""
        lifted: tuple[str, ...] = ()
        asked = self._asked(called.params, admitted)
        if isinstance(asked, Refuse):
            return asked
        template, given, values, statement = asked
        built = self._built(given, admitted, called.called_at)
        if isinstance(built, Refuse):
            return built
        if built is not None:
            values, statement = built.values, built.statement
        row_cap = admitted.row_cap
        if called.max_rows is not None:
            row_cap = max(1, min(row_cap, called.max_rows))
        if admitted.adapter.statement_field is not None:
            verdict = self._judge(statement, values, admitted, row_cap)
            if isinstance(verdict, Refuse) and self._registry.overrides:
                override = self._registry.overrides.for_statement(
                    statement, admitted.tool.id, called.tenant_id, now
                )
                if override is not None:
                    verdict, lifted = Allow(statement, tuple(values)), (override.name,)
            if isinstance(verdict, Refuse):
                return verdict
            if template is None and (unused := values.keys() - set(verdict.placeholders)):
                return Refuse(
                    ErrorCode.INVALID_PARAMS, f"The query does not use {', '.join(sorted(unused))}."
                )
            statement = verdict.statement
        return Invocation(
            called.tenant_id,
            admitted.tool,
            admitted.source,
            template,
            values,
            given,
            statement,
            row_cap,
            timeout_s,
            built,
            lifted,
        )

    def _built(self, given: Mapping[str, Any], admitted: Admitted, now: float) -> Built | Refuse | None:
        """The statement of an adapter that builds it from its parameters; None for all others."""
        builder = admitted.builder
        if builder is None:
            return None
        datasets = self._registry.datasets_of(admitted.tool.id)
        return builder.build(given, admitted.source, datasets, now)

    def _asked(self, params: Mapping[str, Any], admitted: Admitted) -> _Asked | Refuse:
        """Which template, the arguments as given, the values to run with, the statement as it was written."""
        field = admitted.adapter.statement_field
        if "template" in params:
            found = self._template(params, admitted)
            if isinstance(found, Refuse):
                return found
            template, values = found
            given = params.get("args", {})
            if template.statement:
                return template, given, values, template.statement
            called = {**template.call, **values}
            schema = admitted.schema
            refused = _unfit(called, schema) if admitted.is_open else None
            checked = refused or _validated(with_defaults(schema, called), admitted)
        else:
            template = None
            schema, given = admitted.schema, params
            if schema:
                refused = _undeclared(params, schema) or _unfit(params, schema)
                if refused is not None:
                    return refused
                checked = _validated(with_defaults(schema, params), admitted)
            else:
                checked = _validated(params, admitted)
        if isinstance(checked, Refuse):
            return checked
        if admitted.builder is not None:
            return template, checked, checked, ""
        if field is None:
            return template, given, checked, ""
        return template, checked["args"], checked["args"], checked[field]

    def _template(
        self, params: Mapping[str, Any], admitted: Admitted
    ) -> tuple[TemplateAsset, dict[str, Any]] | Refuse:
        name, args = params["template"], params.get("args", {})
        if not isinstance(name, str) or not isinstance(args, dict) or params.keys() - {"template", "args"}:
            return Refuse(ErrorCode.INVALID_PARAMS, "A template is called with its id and its arguments.")
        template = self._registry.template(name)
        if template is None:
            return Refuse(
                ErrorCode.ASSET_LOAD_FAILED,
                "A question template is not available.",
                violations=(f"no published template {name[:128]}",),
            )
        if template.tool != admitted.tool.id:
            return Refuse(ErrorCode.INVALID_PARAMS, "The template belongs to another tool.")
        if template.statement and admitted.adapter.statement_field is None:
            return Refuse(ErrorCode.INVALID_PARAMS, "The tool takes no statement.")
        values = template_arguments(template, args)
        return values if isinstance(values, Refuse) else (template, values)

    def _judge(self, statement: str, values: Mapping[str, Any], admitted: Admitted, row_cap: int) -> Verdict:
        source = admitted.source
        guard = GUARDS.get(source.engine) if source is not None else None
        if guard is None or source is None:
            return Refuse(
                ErrorCode.POLICY_DENY,
                "No guard allows this.",
                violations=(f"{admitted.tool.id} takes a statement, and nothing guards its source",),
            )
        bound = {name: _TYPES.get(type(value), "Nullable(String)") for name, value in values.items()}
        key = (
            source.id,
            source.version,
            admitted.tool.id,
            admitted.policy.version,
            row_cap,
            statement,
            tuple(bound.items()),
        )
        verdict = self._verdicts.get(key)
        if verdict is None:
            bounds = (
                admitted.bounds if row_cap == admitted.row_cap else replace(admitted.bounds, row_cap=row_cap)
            )
            verdict = guard(statement, bounds, bound)
            if len(statement) <= _LONGEST_KEPT:
                if len(self._verdicts) >= _KEPT_VERDICTS:
                    self._verdicts.clear()
                self._verdicts[key] = verdict
        return verdict


def _undeclared(params: Mapping[str, Any], schema: Mapping[str, Any]) -> Refuse | None:
    """A tool's asset may narrow what its adapter takes: names outside its `properties` are refused."""
    if not schema:
        return None
    declared = schema.get("properties", {})
    strange = sorted(params.keys() - declared.keys())
    missing = sorted(set(schema.get("required", ())) - params.keys())
    if strange:
        return Refuse(ErrorCode.INVALID_PARAMS, f"Unknown: {', '.join(each[:60] for each in strange[:5])}.")
    if missing:
        return Refuse(ErrorCode.INVALID_PARAMS, f"Missing: {', '.join(missing[:5])}.")
    return None


def _unfit(params: Mapping[str, Any], schema: Mapping[str, Any]) -> Refuse | None:
    """Types and bounds of the tool's own schema, when it has one."""
    if not schema:
        return None
    try:
        faults = faults_against(schema, params)
    except UnfitSchema as error:
        return Refuse(
            ErrorCode.ASSET_LOAD_FAILED, "A tool of the plan is not available.", violations=(str(error),)
        )
    if not faults:
        return None
    return Refuse(
        ErrorCode.INVALID_PARAMS, f"The parameters do not fit. {'; '.join(faults)}.", violations=faults
    )


def _validated(values: Mapping[str, Any], admitted: Admitted) -> dict[str, Any] | Refuse:
    try:
        model = admitted.adapter.parameters.model_validate(values)
        extra = model.__pydantic_extra__
        return {**model.__dict__, **extra} if extra else model.__dict__.copy()
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])[:80] or 'parameters'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_context=False, include_input=False)[:5]
        ]
        return Refuse(
            ErrorCode.INVALID_PARAMS,
            f"The parameters do not fit. {'; '.join(faults)}",
            violations=tuple(faults),
        )
