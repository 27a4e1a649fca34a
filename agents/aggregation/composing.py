"""The call of a model that writes the answer's text, and how its text is held to the figures. Pure."""

from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple

import msgspec

from agents.aggregation.budget import composition_ends_at
from agents.aggregation.clean import lines
from agents.aggregation.trace import Call, Detours, Trace
from agents.aggregation.turns import output_of
from agents.figure_check import KnownFigures, check_figures
from agents.references import document_of
from schemas.calls import ToolCalled, ToolOutput
from schemas.ids import call_id
from schemas.plans import PlanMade, Step
from schemas.word import Instant, Json

ENOUGH_S: Final = 0.2
"""With less than this left no model is asked."""
MAX_OUTPUT_BYTES: Final = 96 * 1024
"""What a model is given of all outputs together: rows are left out from the end."""
TEXT_FACT: Final = "text"
"""The fact of the composer's output that holds its text."""
LEFT_OUT_FACT: Final = "left_out"
"""How many sentences the composer left out of it itself."""

_encode = msgspec.json.Encoder().encode


class Written(NamedTuple):
    """A model's text, and how many of its sentences were left out because a figure in them occurs nowhere."""

    text: str
    dropped: int


def may_compose(trace: Trace, plan: PlanMade, now: Instant) -> bool:
    """Whether a model is to write the text: the plan has one, something was found, and there is time."""
    return (
        plan.composer is not None
        and plan.deadline_at - now >= ENOUGH_S
        and any(_found(trace, step) is not None for step in plan.steps)
    )


def composing(trace: Trace, plan: PlanMade, composer: Step, released_by: str, now: Instant) -> Trace:
    """The trace while a model writes its text."""
    from_before = trace.detours or Detours()
    given = Call(call_id(plan.trace_id, composer.step_id, composer.attempt), released_by, now)
    return Trace(
        trace_id=trace.trace_id,
        deadline_at=composition_ends_at(plan, now),
        plan=plan,
        calls=trace.calls,
        succeeded=trace.succeeded,
        failed=trace.failed,
        detours=Detours(
            calls=from_before.calls,
            stood_in=from_before.stood_in,
            fell=from_before.fell,
            composing=given,
        ),
    )


def composer_call(trace: Trace, plan: PlanMade, composer: Step, call: Call) -> ToolCalled:
    """The composer's call: its own parameters, and the question and what was found."""
    params: dict[str, Json] = {
        **composer.params,
        "question": plan.question,
        "language": plan.language,
        "outputs": outputs_of(trace, plan),
    }
    return ToolCalled(
        trace_id=plan.trace_id,
        tenant_id=plan.tenant_id,
        user_id=plan.user_id,
        roles=plan.roles,
        call_id=call.call_id,
        step_id=composer.step_id,
        tool_id=composer.tool_id,
        tool_type=composer.tool_type,
        kind=composer.kind,
        params=params,
        timeout_s=composer.timeout_s,
        deadline_at=composition_ends_at(plan, call.called_at),
        called_at=call.called_at,
        group=len(plan.steps),
        attempt=composer.attempt,
        no_cache=plan.no_cache,
        shards=composer.shards,
    )


def outputs_of(trace: Trace, plan: PlanMade) -> list[dict[str, Any]]:
    """What each step found, as documents with its id, title and tool, within `MAX_OUTPUT_BYTES` in all."""
    documents: list[dict[str, Any]] = []
    for step in plan.steps:
        output = _found(trace, step)
        if output is not None:
            title = step.render.title if step.render is not None else step.tool_id
            documents.append(
                {"step_id": step.step_id, "title": title, "tool_id": step.tool_id, **document_of(output)}
            )
    share = MAX_OUTPUT_BYTES // max(len(documents), 1)
    for document in documents:
        size = len(_encode(document))
        while size > share and document["rows"]:
            document["rows"] = document["rows"][: len(document["rows"]) * share // (size + 1)]
            document["truncated"] = True
            size = len(_encode(document))
    return documents


def held(trace: Trace, plan: PlanMade, limit: int, zone: tzinfo = UTC) -> Written | None:
    """What of the model's text may stand: sentences all of whose figures occur in the outputs. None: nothing."""
    detours = trace.detours
    if detours is None or detours.composed is None:
        return None
    facts = detours.composed.output.facts
    text, left_out = facts.get(TEXT_FACT), facts.get(LEFT_OUT_FACT)
    before = left_out if isinstance(left_out, int) else 0  # the tool holds its texts to the figures, too
    if not isinstance(text, str) or not (text.strip() or before):
        return None
    known = KnownFigures(
        [document_of(output) for step in plan.steps if (output := _found(trace, step)) is not None],
        names=(plan.question,),
        zone=zone,
    )
    checked = check_figures(lines(text.strip(), limit), known)
    return Written(checked.text.strip(), len(checked.dropped) + before)


def _found(trace: Trace, step: Step) -> ToolOutput | None:
    output = output_of(trace, step.step_id)
    return output if output is not None and (output.rows or output.facts) else None
