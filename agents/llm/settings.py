"""Which language model, and how much of it. Made from the worker's settings in one place."""

from dataclasses import dataclass
from typing import Literal

LLM_TOOL = "llm_tool"
"""The tool that summarises and extracts; it is there wherever a model is configured."""
COMPOSER = "composer"
"""The tool that writes the text of answers; only the join calls it."""

Format = Literal["json_schema", "json_object", "none"]


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """An OpenAI-compatible endpoint. `key_reference` is `env:NAME` or `file:PATH`, resolved anew for each call, so that
    a rotated key needs no restart; empty for an endpoint without a key."""

    url: str
    model: str
    key_reference: str = ""
    timeout_s: float = 20.0
    """What one question to the model may take, retries included."""
    retries: int = 2
    concurrency: int = 16
    """Calls under way at once in this process; the rest wait inside their time."""
    response_format: Format = "json_schema"
    """How structured answers are asked for: what the endpoint understands."""
    max_output_tokens: int = 2_000
    breaker_failures: int = 5
    breaker_reset_s: float = 60.0
