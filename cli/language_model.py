"""Where the language model is plugged in: its client, its planner, and the tools that use it."""

from collections.abc import Mapping
from typing import Any

from agents.execution.tool import Tool
from agents.execution.toolbox import MissingExtra
from agents.llm.client import LlmClient, MissingLlmExtra
from agents.llm.settings import COMPOSER, LLM_TOOL, LlmSettings
from agents.planning.llm_planner import LlmPlanner
from registry.assets import ToolAsset
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
            )
        )
    except MissingLlmExtra:
        raise MissingExtra("The language model", "llm") from None


def with_llm_tools(registry: Registry, settings: Settings) -> Registry:
    """The registry with the tools that come with a language model, unless a pack has tools of the same ids."""
    if settings.llm_url is None:
        return registry
    wanted = [(LLM_TOOL, "Language model", "Summarises or extracts from the results of earlier steps")]
    if settings.composer == "llm":
        wanted.append((COMPOSER, "Composer", "Writes the answer's text from what was found"))
    for tool_id, name, description in wanted:
        if registry.tool(tool_id) is None:
            asset = ToolAsset(
                id=tool_id, name=name, description=description, tool_type=LLM_TOOL, kind="llm", cost_ms=5_000
            )
            registry = registry.register(with_capability_defaults(asset))
    return registry


def llm_planner(settings: Settings, client: LlmClient | None, tools: Mapping[str, Tool]) -> LlmPlanner | None:
    """The planner that asks the model; `tools` say what parameters a call of each type takes."""
    if client is None:
        return None

    def parameters_of(tool: ToolAsset) -> Mapping[str, Any]:
        adapter = tools.get(tool.tool_type)
        return {} if adapter is None else adapter.parameters.model_json_schema(by_alias=True)

    return LlmPlanner(client, timeout_s=settings.llm_timeout_s, parameters_of=parameters_of)
