"""What was used of language models, put together."""

from collections.abc import Mapping

from schemas.plans import LlmUsage
from schemas.word import Json

LLM_TOOL_TYPE = "llm_tool"
USAGE_FACTS = ("model", "prompt_tokens", "completion_tokens", "latency_ms")
"""The facts of a model's tool that say what its call used."""


def summed(one: LlmUsage | None, other: LlmUsage | None) -> LlmUsage | None:
    """Both together; the model is the later one's."""
    if one is None or other is None:
        return one or other
    return LlmUsage(
        model=other.model,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        latency_ms=round(one.latency_ms + other.latency_ms, 1),
        calls=one.calls + other.calls,
    )


def usage_in(facts: Mapping[str, Json], retries: int = 0) -> LlmUsage | None:
    """What a call of a model's tool used, out of the facts of its output; None where they do not say."""
    model, *counts = (facts.get(name) for name in USAGE_FACTS)
    if not isinstance(model, str):
        return None
    prompt, completion, latency = (_figure(count) for count in counts)
    return LlmUsage(
        model=model,
        prompt_tokens=int(prompt),
        completion_tokens=int(completion),
        latency_ms=latency,
        calls=1 + retries,
    )


def _figure(value: Json) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
