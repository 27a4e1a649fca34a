"""What language models were used for: one point per figure, for a plan or for a call."""

from __future__ import annotations

from schemas.calls import ToolSucceeded
from schemas.plans import LlmUsage, PlanMade
from sinks.rows.words import WITNESSED, Row

MODEL_TOOL = "llm_tool"
FIGURES = ("llm_calls", "llm_prompt_tokens", "llm_completion_tokens", "llm_latency_ms")


def plan_usage(event: PlanMade) -> list[Row]:
    """The points of a plan that a model made or tried to make; a replan repeats its plan's usage and has none."""
    if event.usage is None or event.attempt > 0:
        return []
    return _points(event.usage, event.tenant_id, event.trace_id, event.planned_at, "planning")


def call_usage(event: ToolSucceeded) -> list[Row]:
    """The points of a call of a model's tool, out of the facts of its output."""
    facts = event.output.facts
    if event.tool_type != MODEL_TOOL or not isinstance(facts.get("model"), str):
        return []
    usage = LlmUsage(
        model=facts["model"],
        prompt_tokens=int(_figure(facts.get("prompt_tokens"))),
        completion_tokens=int(_figure(facts.get("completion_tokens"))),
        latency_ms=_figure(facts.get("latency_ms")),
        calls=1 + event.retries,
    )
    return _points(usage, event.tenant_id, event.trace_id, event.ended_at, "execution", event.call_id)


def _points(
    usage: LlmUsage, tenant_id: str, trace_id: str, at: float, stage: str, call_id: str = ""
) -> list[Row]:
    values = (usage.calls, usage.prompt_tokens, usage.completion_tokens, usage.latency_ms)
    return [
        {
            "tenant_id": tenant_id,
            "trace_id": trace_id,
            "at": at,
            "subject": call_id or stage,
            "tool_call_id": call_id,
            "stage_name": stage,
            "tags": {"model": usage.model},
            "name": name,
            "value": float(value),
            "evidence": WITNESSED,
        }
        for name, value in zip(FIGURES, values, strict=True)
    ]


def _figure(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
