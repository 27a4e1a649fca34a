"""Which tool does a capability's work now: by tenant, role, health and the time it is expected to take."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from registry.capabilities import Capability, tenant_access
from registry.decisions import Refuse
from schemas.errors import ErrorCode
from schemas.health import ToolHealth

Health = Callable[[str], ToolHealth | None]
"""Tool id → the newest word on it, or None when nothing recent is known. Answers from memory."""

ENOUGH_CALLS = 5
"""From so many observed calls on, what was observed replaces what was declared."""

_NEVER = 0.999
"""A tool that always fails is expected to take a thousand times its duration, not for ever."""

_MENTIONED = 4


@dataclass(frozen=True, slots=True)
class Resolved:
    """The tool that does it, and why this one."""

    tool_id: str
    expected_ms: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    rank: int
    """0 closed, 1 half-open, 2 open: a worse breaker is chosen only when there is no better one."""
    expected_ms: float
    tool_id: str
    words: str


def nothing_known(_: str) -> None:
    """Health where nobody follows it: what was declared holds."""
    return


def chosen(
    capability: str,
    offers: Iterable[Capability],
    tenant_id: str,
    roles: Collection[str],
    health: Health = nothing_known,
    avoid: Collection[str] = (),
) -> Resolved | Refuse:
    """The offer with the best breaker and, among those, the smallest expected time: duration / (1 - failure rate),
    both as observed once there are enough calls, else as declared; ties go to the smaller id.

    An open breaker is chosen only where nothing else is left. Refuses with the code of what stood in the way last:
    ASSET_LOAD_FAILED, TENANT_MISMATCH, PERMISSION_DENIED or CIRCUIT_OPEN never hide one another.
    """
    offered = list(offers)
    if not offered:
        return Refuse(ErrorCode.ASSET_LOAD_FAILED, f"no published tool offers {capability}", "publish one")
    open_to = [each for each in offered if tenant_access(each, tenant_id)]
    if not open_to:
        return Refuse(
            ErrorCode.TENANT_MISMATCH,
            f"no tool that offers {capability} is open to tenant {tenant_id}",
            "ask for a tool of this tenant",
        )
    allowed = [each for each in open_to if set(roles) & set(each.roles)]
    if not allowed:
        return Refuse(
            ErrorCode.PERMISSION_DENIED,
            f"no tool that offers {capability} is for the roles {', '.join(sorted(roles)) or '(none)'}",
            "ask someone whose role may use it",
        )
    left = [each for each in allowed if each.tool_id not in avoid]
    if not left:
        return Refuse(
            ErrorCode.ASSET_LOAD_FAILED,
            f"every tool that offers {capability} has failed this question already",
            "publish another one",
        )
    ranked = sorted(_candidate(each, health(each.tool_id)) for each in left)
    return Resolved(ranked[0].tool_id, ranked[0].expected_ms, _reasons(ranked, len(allowed) - len(left)))


def _candidate(capability: Capability, health: ToolHealth | None) -> _Candidate:
    duration_ms, failure_rate, kind = capability.cost_ms, capability.failure_rate, "declared"
    rank = 0
    state = ""
    if health is not None:
        rank = {"closed": 0, "half_open": 1, "open": 2}[health.breaker]
        state = "" if rank == 0 else f", breaker {health.breaker.replace('_', '-')}"
        if health.calls >= ENOUGH_CALLS:
            duration_ms, failure_rate = health.p50_ms, health.failure_rate
            kind = f"observed over {health.calls} calls"
    expected_ms = duration_ms / (1.0 - min(max(failure_rate, 0.0), _NEVER))
    words = f"{capability.tool_id}: {duration_ms:.4g} ms at {failure_rate:.1%} failures ({kind}){state}"
    return _Candidate(rank, expected_ms, capability.tool_id, words)


def _reasons(ranked: list[_Candidate], avoided: int) -> tuple[str, ...]:
    reasons = [ranked[0].words]
    reasons += [f"over {each.words}" for each in ranked[1:_MENTIONED]]
    if len(ranked) == 1:
        reasons.append("no other tool is left for it" if avoided else "no other tool offers it")
    if ranked[0].rank == 2:
        reasons.append("taken although its breaker is open: there is no better one")
    if avoided:
        reasons.append(f"{avoided} avoided, having failed this question already")
    return tuple(reasons)
