"""Where the language model is plugged in: its client, its planner, and the tools that use it."""

from collections.abc import Mapping
from typing import Any

from agents.execution.tool import Tool
from agents.execution.toolbox import MissingExtra
from agents.llm.client import LlmClient, MissingLlmExtra
from agents.llm.settings import COMPOSER, LLM_TOOL, LlmSettings
from agents.planning.llm_planner import LlmPlanner
from registry.assets import PolicyAsset, ToolAsset
from registry.defaults import with_capability_defaults
from registry.registry import Registry
from streams.settings import Settings


def llm_client(settings: Settings) -> LlmClient | None:
    """The client of the settings' endpoint; None where no language model takes part. Raises `MissingExtra`."""
    if settings.llm_url is None:
        return None
    try:
        return LlmClient(
            LlmSettings(
                url=settings.llm_url,
                model=settings.llm_model,
                key_reference=settings.llm_key,
                timeout_s=settings.llm_timeout_s,
                retries=settings.llm_retries,
                concurrency=settings.llm_concurrency,
                response_format=settings.llm_format,
                breaker_failures=settings.llm_breaker_failures,
                breaker_reset_s=settings.llm_breaker_reset_s,
            )
        )
    except MissingLlmExtra:
        raise MissingExtra("The language model", "llm") from None


def with_llm_tools(registry: Registry, settings: Settings) -> Registry:
    """The registry with the tools that come with a language model, unless a pack has tools of the same ids."""
    if settings.llm_url is None:
        return registry
    if registry.tool(LLM_TOOL) is None:
        registry = registry.register(
            with_capability_defaults(
                ToolAsset(
                    id=LLM_TOOL,
                    name="Language model",
                    description="Summarises or extracts from the results of earlier steps",
                    tool_type=LLM_TOOL,
                    kind="llm",
                    cost_ms=5_000,
                )
            )
        )
    if settings.composer == "llm" and registry.tool(COMPOSER) is None:
        registry = registry.register(_COMPOSER_POLICY, COMPOSER)
        registry = registry.register(_composer(settings), COMPOSER)
    return registry


def _composer(settings: Settings) -> ToolAsset:
    """It stands in the way of every answer: many run side by side, unlike other uses of the model."""
    return ToolAsset(
        id=COMPOSER,
        name="Composer",
        description="Writes the answer's text from what was found",
        tool_type=LLM_TOOL,
        kind="llm",
        capability_type="read_only",
        execution_mode="parallel",
        max_concurrent_calls=settings.llm_concurrency,
        timeout_seconds=20.0,
        rate_limit_per_minute=_COMPOSER_POLICY.calls_per_minute,
        max_result_size_mb=1.0,
        fallback_enabled=False,
        cost_ms=5_000,
    )


_COMPOSER_POLICY = PolicyAsset(
    id="policy.composer",
    description="The composer: an answer that finds it busy is told by templates, at once",
    policy_set="DEFAULT",
    timeout_s=20,
    retries=1,
    calls_per_minute=600,
    calls_per_second=50,
    over_limit="refuse",
    max_rows=1,
)


def llm_planner(settings: Settings, client: LlmClient | None, tools: Mapping[str, Tool]) -> LlmPlanner | None:
    """The planner that asks the model; `tools` say what parameters a call of each type takes."""
    if client is None:
        return None

    def parameters_of(tool: ToolAsset) -> Mapping[str, Any]:
        adapter = tools.get(tool.tool_type)
        return {} if adapter is None else adapter.parameters.model_json_schema(by_alias=True)

    return LlmPlanner(client, timeout_s=settings.llm_timeout_s, parameters_of=parameters_of)
