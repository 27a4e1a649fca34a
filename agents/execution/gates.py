"""The stateful gates of all tools: one turnstile each, made of the tool's asset and its policy.

The calls of one tool, or of one shard of it, meet in one partition and so in one process; what is counted here is
counted for the fleet. A shard has its share of the limits and a breaker of its own.
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
from schemas.shards import WHOLE, Shard

_PROBE_SLACK_S = 5.0
"""A probe that is not back this long after the tool's own timeout is given up."""


class Ledger(Protocol):
    """Where turnstiles are noted, so that they outlive this process."""

    def open(self, gate: "Gate") -> Credit:
        """Bring a new turnstile to where the last owner left it, and give it credit."""
        ...


class Gate:
    """The turnstile of one tool or shard, and the assets it was made of."""

    __slots__ = ("key", "policy", "shard", "tool", "turnstile")

    def __init__(
        self, tool: ToolAsset, policy: PolicyAsset, turnstile: Turnstile, shard: Shard = WHOLE
    ) -> None:
        self.tool = tool
        self.policy = policy
        self.turnstile = turnstile
        self.shard = shard
        self.key = shard.key(tool.id)
        """The key of its calls: where they lie, this gate is kept."""


class Gates:
    """One gate a tool, made when it is first needed. Without a ledger they are this process's own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._gates: dict[str, Gate] = {}
        self.ledger: Ledger | None = None
        self.changed: Callable[[str], None] = lambda key: None
        """Told of each gate whose breaker may have changed, by its key."""

    def turnstile(self, admitted: Admitted, shard: Shard = WHOLE) -> Turnstile:
        """The turnstile of an admitted tool, under the terms of its present assets."""
        tool = admitted.tool
        gate = self._gates.get(tool.id if shard is WHOLE else shard.key(tool.id))
        if (
            gate is None
            or gate.tool is not tool
            or gate.policy is not admitted.policy
            or gate.shard.of != shard.of
        ):
            gate = self.gate(tool, admitted.policy, shard)
        return gate.turnstile

    def gate(self, tool: ToolAsset, policy: PolicyAsset, shard: Shard = WHOLE) -> Gate:
        """The gate of a tool or shard, made or brought up to date."""
        key = shard.key(tool.id)
        gate, terms = self._gates.get(key), terms_of(tool, policy, shard)
        if gate is None:
            turnstile = Turnstile(terms, self._clock, changed=lambda: self.changed(key))
            gate = self._gates[key] = Gate(tool, policy, turnstile, shard)
            if self.ledger is not None:
                turnstile.credit = self.ledger.open(gate)
            return gate
        if terms != gate.turnstile.terms:
            gate.turnstile.adopt(terms)
        gate.tool, gate.policy, gate.shard = tool, policy, shard
        return gate

    def get(self, key: str) -> Gate | None:
        """The gate of these calls, if it was needed so far."""
        return self._gates.get(key)

    def forget(self, key: str) -> None:
        """Nobody makes these calls here any more."""
        self._gates.pop(key, None)

    def __iter__(self) -> Iterator[Gate]:
        return iter(tuple(self._gates.values()))


def terms_of(tool: ToolAsset, policy: PolicyAsset, shard: Shard = WHOLE) -> Terms:
    """What the assets say: the tighter of the tool's and the policy's limit a minute, and a shard's part of each."""

    def part(limit: int | None) -> int | None:
        return None if limit is None else shard.share(limit)

    return Terms(
        limits=Limits(
            per_second=shard.share(policy.calls_per_second),
            per_minute=shard.share(min(policy.calls_per_minute, tool.rate_limit_per_minute)),
            tenant_per_second=part(policy.tenant_calls_per_second),
            tenant_per_minute=part(policy.tenant_calls_per_minute),
            tenant_share=policy.tenant_share,
        ),
        breaker=BreakerTerms(
            failures=policy.breaker_failures,
            reset_s=policy.breaker_reset_s,
            probes=policy.breaker_probes,
            successes=policy.breaker_successes,
            probe_timeout_s=timeout_of(tool, policy) + _PROBE_SLACK_S,
        ),
        places=1 if tool.execution_mode == "serial" else shard.share(tool.max_concurrent_calls),
        waits=policy.over_limit == "wait",
        queue_length=shard.share(policy.queue_length) if policy.queue_length else 0,
    )
