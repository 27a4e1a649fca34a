"""Replayed calls as figures: per tool and tenant, under the policy they met and under the changed one."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.execution.recorded import BEFORE_THE_TURNSTILE
from agents.execution.replaying import Ending, Replayed
from schemas.errors import ErrorCode

_WAITED_FROM_S = 0.001


@dataclass(frozen=True, slots=True)
class Figures:
    """How calls end under one policy. Every call is in exactly one of `allowed`, `refused`, `remembered`, `denied`,
    `rate_limited`, `circuit_open` and `no_place`; what follows them counts within `allowed`."""

    allowed: int
    """Let in to the tool."""
    refused: int
    """By what comes before the turnstile, as recorded: tenant, role, parameters, guard."""
    remembered: int
    """Answered without asking the tool."""
    denied: int
    """Their statements ask for tables that may not be asked."""
    rate_limited: int
    circuit_open: int
    no_place: int
    """Every place of the tool was taken until their time was over."""
    waited: int
    """Calls that stood before the turnstile, let in or not."""
    waited_s: float
    """All of them together."""
    longest_wait_s: float
    timed_out: int
    failed: int
    """Let in, and ended in another error than TOOL_TIMEOUT."""
    retries: int
    cut: int
    """Results of which rows are cut off."""


@dataclass(frozen=True, slots=True)
class ToolFigures:
    """One tool and tenant."""

    tool_id: str
    tenant_id: str
    calls: int
    before: Figures
    after: Figures
    newly_denied: int
    """Calls that asked for tables, and would be refused for them."""
    estimated: int
    """Calls that never ran: how long they take and how they end are estimates."""
    tables_unknown: int
    """Calls of which the record does not say which tables they reached, where the changed policy has others."""
    rows_unknown: int
    """Results that were cut, and of which more would pass: how many more rows there were is not recorded."""
    as_recorded: int
    """Calls that end in the replay under the policy they met as they really ended: how far to trust it."""


def figures_of(replayed: Sequence[Replayed]) -> tuple[ToolFigures, ...]:
    """Ordered by tool and tenant."""
    groups: dict[tuple[str, str], list[Replayed]] = {}
    for each in replayed:
        groups.setdefault((each.call.tool_id, each.call.tenant_id), []).append(each)
    return tuple(_of(tool, tenant, group) for (tool, tenant), group in sorted(groups.items()))


def _of(tool_id: str, tenant_id: str, group: Sequence[Replayed]) -> ToolFigures:
    return ToolFigures(
        tool_id=tool_id,
        tenant_id=tenant_id,
        calls=len(group),
        before=_figures([each.before for each in group]),
        after=_figures([each.after for each in group]),
        newly_denied=sum(each.after.denied and not each.before.denied for each in group),
        estimated=sum(each.estimated for each in group),
        tables_unknown=sum(each.after.tables_unknown for each in group),
        rows_unknown=sum(each.after.rows_unknown for each in group),
        as_recorded=sum(each.before.code == each.call.code for each in group),
    )


def _figures(endings: Sequence[Ending]) -> Figures:
    let_in = [each for each in endings if each.let_in]
    kept_out = [each for each in endings if not each.let_in]
    waits = [each.waited_s for each in endings if each.waited_s >= _WAITED_FROM_S]

    def out(code: ErrorCode) -> int:
        return sum(each.code is code for each in kept_out)

    return Figures(
        allowed=len(let_in),
        refused=sum(each.code in BEFORE_THE_TURNSTILE and not each.denied for each in kept_out),
        remembered=sum(each.remembered for each in kept_out),
        denied=sum(each.denied for each in kept_out),
        rate_limited=out(ErrorCode.RATE_LIMITED),
        circuit_open=out(ErrorCode.CIRCUIT_OPEN),
        no_place=out(ErrorCode.TOOL_TIMEOUT),
        waited=len(waits),
        waited_s=round(sum(waits), 3),
        longest_wait_s=round(max(waits, default=0.0), 3),
        timed_out=sum(each.code is ErrorCode.TOOL_TIMEOUT for each in let_in),
        failed=sum(each.code not in (None, ErrorCode.TOOL_TIMEOUT) for each in let_in),
        retries=sum(each.retries for each in endings),
        cut=sum(each.cut for each in endings),
    )
