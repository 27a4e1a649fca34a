"""The stateful gates of all tools: one turnstile each, made of the tool's asset and its policy.

The calls of one tool meet in one partition and so in one process; what is counted here is counted for the fleet.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from agents.execution.admission import Admitted
from agents.execution.breaker import BreakerTerms
from agents.execution.credit import Credit
from agents.execution.limits import Limits
from agents.execution.turnstile import Terms, Turnstile
from registry.assets import PolicyAsset, ToolAsset
from registry.defaults import timeout_of

_PROBE_SLACK_S = 5.0
"""A probe that is not back this long after the tool's own timeout is given up."""


class Ledger(Protocol):
    """Where turnstiles are noted, so that they outlive this process."""

    def open(self, gate: "Gate") -> Credit:
        """Bring a new turnstile to where the last owner left it, and give it credit."""
        ...


class Gate:
    """The turnstile of one tool, and the assets it was made of."""

    __slots__ = ("policy", "tool", "turnstile")

    def __init__(self, tool: ToolAsset, policy: PolicyAsset, turnstile: Turnstile) -> None:
        self.tool = tool
        self.policy = policy
        self.turnstile = turnstile


class Gates:
    """One gate a tool, made when it is first needed. Without a ledger they are this process's own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._gates: dict[str, Gate] = {}
        self.ledger: Ledger | None = None
        self.changed: Callable[[str], None] = lambda tool_id: None
        """Told of each tool whose breaker may have changed."""

    def turnstile(self, admitted: Admitted) -> Turnstile:
        """The turnstile of an admitted tool, under the terms of its present assets."""
        tool = admitted.tool
        gate = self._gates.get(tool.id)
        if gate is None or gate.tool is not tool or gate.policy is not admitted.policy:
            gate = self.gate(tool, admitted.policy)
        return gate.turnstile

    def gate(self, tool: ToolAsset, policy: PolicyAsset) -> Gate:
        """The gate of a tool, made or brought up to date."""
        gate, terms = self._gates.get(tool.id), terms_of(tool, policy)
        if gate is None:
            tell = tool.id
            turnstile = Turnstile(terms, self._clock, changed=lambda: self.changed(tell))
            gate = self._gates[tool.id] = Gate(tool, policy, turnstile)
            if self.ledger is not None:
                turnstile.credit = self.ledger.open(gate)
            return gate
        if terms != gate.turnstile.terms:
            gate.turnstile.adopt(terms)
        gate.tool, gate.policy = tool, policy
        return gate

    def get(self, tool_id: str) -> Gate | None:
        """The gate of a tool, if it was needed so far."""
        return self._gates.get(tool_id)

    def forget(self, tool_id: str) -> None:
        """Nobody calls this tool here any more."""
        self._gates.pop(tool_id, None)

    def __iter__(self) -> Iterator[Gate]:
        return iter(tuple(self._gates.values()))


def terms_of(tool: ToolAsset, policy: PolicyAsset) -> Terms:
    """What the assets say: the tighter of the tool's and the policy's limit a minute."""
    return Terms(
        limits=Limits(
            per_second=policy.calls_per_second,
            per_minute=min(policy.calls_per_minute, tool.rate_limit_per_minute),
            tenant_per_second=policy.tenant_calls_per_second,
            tenant_per_minute=policy.tenant_calls_per_minute,
            tenant_share=policy.tenant_share,
        ),
        breaker=BreakerTerms(
            failures=policy.breaker_failures,
            reset_s=policy.breaker_reset_s,
            probes=policy.breaker_probes,
            successes=policy.breaker_successes,
            probe_timeout_s=timeout_of(tool, policy) + _PROBE_SLACK_S,
        ),
        places=1 if tool.execution_mode == "serial" else tool.max_concurrent_calls,
        waits=policy.over_limit == "wait",
        queue_length=policy.queue_length,
    )
