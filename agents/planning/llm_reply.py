"""What a language model replied, read without trust: JSON, then the words of a plan, then a draft to be validated."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.planning.context import DraftStep
from agents.planning.llm_view import View
from agents.planning.sentence import Sentence
from agents.planning.timeranges import find_time_range
from schemas.plans import MAX_STEPS

MAX_REPLY_CHARACTERS: Final = 32_000
_FENCE: Final = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)
_TOLD_ERRORS: Final = 6
_MOST_NESTED: Final = 12
_TEXT_TIMES: Final = frozenset({"sql"})
"""Kinds whose times are texts, `YYYY-MM-DD HH:MM:SS` UTC, unless the plan says otherwise."""


class When(NamedTuple):
    """What times in words are relative to: a moment, and the asker's time zone."""

    now: float
    zone: tzinfo = UTC


class Unusable(Exception):
    """The reply is no plan; the text says why, to the model, which may try once more."""


class _Word(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LlmStep(_Word):
    step_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    tool: Annotated[str, Field(min_length=1, max_length=128)]
    template: Annotated[str, Field(max_length=128)] | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    depends_on: Annotated[list[str], Field(max_length=MAX_STEPS)] = Field(default_factory=list)


class LlmPlan(_Word):
    """The only thing a model may reply. It can't answer by itself: there is no word for that."""

    decision: Literal["plan", "reject"]
    reason: Annotated[str, Field(max_length=2_000)] = ""
    text: Annotated[str, Field(max_length=2_000)] = ""
    steps: Annotated[list[LlmStep], Field(max_length=MAX_STEPS)] = Field(default_factory=list)


REPLY_SCHEMA: Final = LlmPlan.model_json_schema()


def read_plan(text: str) -> LlmPlan:
    """The plan in a reply. Raises `Unusable`."""
    if len(text) > MAX_REPLY_CHARACTERS:
        raise Unusable(f"The reply is over {MAX_REPLY_CHARACTERS} characters long.")
    fenced = _FENCE.match(text.strip())
    try:
        found = json.loads(fenced[1] if fenced else text, parse_constant=_not_finite)
    except (ValueError, RecursionError):
        raise Unusable("The reply is not one JSON object.") from None
    try:
        plan = LlmPlan.model_validate(found)
    except ValidationError as exc:
        faults = [
            f"{'.'.join(map(str, error['loc'])) or 'reply'}: {error['msg']}"
            for error in exc.errors(include_url=False, include_input=False)[:_TOLD_ERRORS]
        ]
        raise Unusable("The reply does not fit: " + "; ".join(faults)) from None
    if plan.decision == "plan" and not plan.steps:
        raise Unusable("A plan needs at least one step.")
    return plan


def draft_steps(plan: LlmPlan, view: View, when: When) -> tuple[DraftStep, ...]:
    """The plan's steps with times in words resolved. Raises `Unusable`."""
    return tuple(_step(step, view, when) for step in plan.steps)


def _step(step: LlmStep, view: View, when: When) -> DraftStep:
    tool = view.tools.get(step.tool)
    if tool is None:
        raise Unusable(f"Step {step.step_id}: there is no tool '{step.tool[:60]}' among the tools.")
    sources: list[str] = list(step.depends_on)

    def value_of(value: Any, depth: int = 0) -> Any:
        if depth > _MOST_NESTED:
            raise Unusable(f"Step {step.step_id}: its params are nested too deeply.")
        if isinstance(value, dict):
            if "$from" in value:
                if isinstance(value["$from"], str) and value["$from"] not in sources:
                    sources.append(value["$from"])
                return value
            if "$time" in value:
                return _edge(step.step_id, value, tool.kind, when)
            return {name: value_of(inner, depth + 1) for name, inner in value.items()}
        if isinstance(value, list):
            return [value_of(inner, depth + 1) for inner in value]
        return value

    if step.template is None:
        params = {name: value_of(value) for name, value in step.params.items()}
    else:
        template = view.templates.get(step.template)
        if template is None or template.tool != step.tool:
            raise Unusable(f"Step {step.step_id}: {step.tool} has no template '{step.template[:60]}'.")
        args: dict[str, Any] = {}
        for name, value in step.params.items():
            parameter = template.parameters.get(name)
            if parameter is not None and parameter.type == "time_range":
                args[f"{name}_from"], args[f"{name}_to"] = _range(step.step_id, value, when)
            else:
                args[name] = value_of(value)
        for name, parameter in template.parameters.items():
            if (
                parameter.type == "time_range"
                and name not in step.params
                and isinstance(parameter.default, str)
            ):
                since, until = _range(step.step_id, {"$time": parameter.default}, when)
                args |= {f"{name}_from": since, f"{name}_to": until}
        params = {"template": step.template, "args": args}
    return DraftStep(
        step_id=step.step_id,
        tool_id=step.tool,
        params=params,
        depends_on=tuple(dict.fromkeys(sources)),
        template_id=step.template,
    )


def _range(step_id: str, value: Any, when: When) -> tuple[float, float]:
    words = value.get("$time") if isinstance(value, dict) else value
    if not isinstance(words, str) or len(words) > 100:
        raise Unusable(f'Step {step_id}: a time is written {{"$time": "last 15 minutes"}}.')
    found = find_time_range(Sentence.read(words), when.now, (), when.zone)
    if found is None:
        raise Unusable(f"Step {step_id}: the time '{words[:60]}' is not understood.")
    return found.since, found.until


def _edge(step_id: str, value: dict[str, Any], kind: str, when: When) -> float | str:
    edge, form = value.get("edge"), value.get("as", "text" if kind in _TEXT_TIMES else "unix")
    if edge not in ("from", "to") or form not in ("text", "unix"):
        raise Unusable(f"Step {step_id}: a time needs its edge, from or to; as may be text or unix.")
    at = _range(step_id, value, when)[edge == "to"]
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if form == "text" else at


def _not_finite(_: str) -> Callable[[], None]:
    raise ValueError("not finite")
