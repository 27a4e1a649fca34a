"""What Prometheus is shown of tools' breakers."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from schemas.health import BreakerState, ToolHealth
from web.tool_health import ToolFigures


def word(breaker: BreakerState, at: float, failure_rate: float = 0.0) -> ToolHealth:
    return ToolHealth(
        tool_id="things", breaker=breaker, failure_rate=failure_rate, calls=10, at=at, worker="w0"
    )


def test_states_are_shown_and_changes_counted_from_when_it_follows() -> None:
    """What lay in the topic before is a state, not a change."""
    registry = CollectorRegistry()
    figures = ToolFigures(registry)
    figures.take(word("open", 1.0, failure_rate=0.25))
    figures.caught_up = True
    figures.take(word("half_open", 2.0, failure_rate=0.25))

    shown = generate_latest(registry).decode()

    assert 'circuit_breaker_state{service="things"} 2.0' in shown
    assert 'tool_success_rate{tool_name="things"} 0.75' in shown
    assert (
        'circuit_breaker_state_changes_total{from_state="open",service="things",to_state="half_open"} 1.0'
        in shown
    )
    assert 'from_state="closed"' not in shown
