"""What an answer tells of its steps: sentences on what was found, on what contradicts and on what is missing; blocks;
and the references that they point at."""

from typing import Final, NamedTuple

from agents.aggregation.blocks import Room, block_of
from agents.aggregation.citing import Cited
from agents.aggregation.clean import line
from agents.aggregation.conflicts import Found, conflicts
from agents.aggregation.figures import moment
from agents.aggregation.lacks import failure_text, says_figures, skipped_text, truncation_text
from agents.aggregation.outcomes import MESSAGE_CHARACTERS, Outcome, Outcomes, empty
from agents.aggregation.substitutes import substitute_text
from agents.aggregation.voice import Voice
from agents.aggregation.wording import found_nothing_text, rows_of, success_text, title_of
from schemas.answers import Block, BlockKind, Reference
from schemas.calls import ToolOutput
from schemas.plans import PlanMade, Step

_QUERY_CHARACTERS: Final = 400


class Told(NamedTuple):
    """The parts of the text in their order, what there is to draw, and what all of it refers to."""

    found: list[str]
    missing: list[str]
    blocks: tuple[Block, ...]
    references: tuple[Reference, ...]
    marks: dict[str, str]
    """The mark of each step that has a reference, by step id."""

    def cited(self, outcomes: Outcomes) -> list[Cited]:
        """The outputs with their marks, in the order of the steps."""
        return [
            Cited(self.marks[each.step.step_id], each.output)
            for each in outcomes.steps
            if each.output is not None
        ]


def told(plan: PlanMade, outcomes: Outcomes, room: Room, voice: Voice) -> Told:
    """The sentences, blocks and references of all steps: first what was found and what contradicts, then what is
    missing."""
    sentences: list[str] = []
    missing: list[str] = []
    blocks: list[Block] = []
    references: list[Reference] = []
    marks: dict[str, str] = {}
    several: list[Found] = []
    if outcomes.fallbacks:
        missing += [substitute_text(details, plan.language) for details in outcomes.fallbacks]
    for outcome in outcomes.steps:
        step, result, output = outcome.step, outcome.result, outcome.output
        number = str(len(references) + 1)
        mark = f"[{number}]"
        if output is not None:
            references.append(_reference(number, outcome, output))
            marks[step.step_id] = mark
            several.append(Found(outcome, output, mark))
            sentences.append(success_text(step, output, mark, None, voice))
            if output.truncated:
                missing.append(truncation_text(step, output, mark, voice))
            block = block_of(step, output, number, mark, room, voice)
            if block is not None:
                blocks.append(block)
        elif empty(result):
            references.append(_reference_to_nothing(number, outcome, voice))
            marks[step.step_id] = mark
            sentences.append(found_nothing_text(step, mark, voice))
        elif result.status == "skipped":
            missing.append(skipped_text(step, _step(plan, result.cause), voice))
        elif result.error_details is not None:
            if says_figures(result.error_details, voice):
                references.append(_reference_to_nothing(number, outcome, voice))
                marks[step.step_id] = mark
            missing.append(failure_text(step, result.error_details, voice, mark))
    if len(several) > 1:
        sentences += conflicts(several, voice)
    if references:
        numbers = tuple([reference.reference_id for reference in references])
        blocks.append(Block(kind=BlockKind.REFERENCES, references=numbers))
    return Told(sentences, missing, tuple(blocks), tuple(references), marks)


def _step(plan: PlanMade, step_id: str | None) -> Step | None:
    return next((step for step in plan.steps if step.step_id == step_id), None)


def _reference(number: str, outcome: Outcome, output: ToolOutput) -> Reference:
    result = outcome.result
    return Reference(
        reference_id=number,
        step_id=result.step_id,
        call_id=result.call_id,
        tool_id=result.tool_id,
        source=line(output.source, MESSAGE_CHARACTERS),
        query=line(output.query, _QUERY_CHARACTERS),
        row_count=rows_of(output),
        read_at=moment(outcome.read_at),
        claim=output.claim,
    )


def _reference_to_nothing(number: str, outcome: Outcome, voice: Voice) -> Reference:
    """To a call that brought no output: it found nothing, or failed in a way that is told with figures."""
    result = outcome.result
    return Reference(
        reference_id=number,
        step_id=result.step_id,
        call_id=result.call_id,
        tool_id=result.tool_id,
        source="",
        query=title_of(outcome.step, voice),
        row_count=0,
        read_at=moment(outcome.read_at),
    )
