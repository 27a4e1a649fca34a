"""The adapters a registry needs, made ready: what no published tool uses is not made."""

import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from agents.execution.tool import Tool
from agents.execution.tools.engines.by_name import EXTRAS, Engines
from agents.llm.client import LlmClient
from registry.registry import Registry


class MissingExtra(RuntimeError):
    """A tool needs a library that is not installed: `extra` names what to install."""

    def __init__(self, tool_type: str, extra: str) -> None:
        self.reason = f"{tool_type} needs the extra {extra}"
        self.hint = f'Install it: pip install "opsloom[{extra}]"'
        super().__init__(f"{self.reason}. {self.hint}")
        self.extra = extra


def build_tools(
    registry: Registry,
    *,
    clock: Callable[[], float] = time.time,
    clickhouse_database: str = "opsloom",
    clickhouse_user: str = "default",
    clickhouse_password: str = "",
    threads: int = 8,
    llm: LlmClient | None = None,
) -> dict[str, Tool]:
    """Adapters by tool type, for every type the registry's tools are of and this house has. They open nothing
    yet. A tool type nobody knows is left out: its calls end in ASSET_LOAD_FAILED. Raises `MissingExtra`."""

    settings = _Settings(clock, clickhouse_database, clickhouse_user, clickhouse_password, threads, llm)
    for source in registry.sources.values():
        _need(source.engine)
    used = {tool.tool_type for tool in registry.tools.values()}
    return {tool_type: make(settings) for tool_type, make in _MAKERS.items() if tool_type in used}


def _need(engine: str) -> None:
    library, extra = EXTRAS.get(engine, ("", ""))
    if extra and importlib.util.find_spec(library) is None:
        raise MissingExtra(f"A source of the engine {engine}", extra)


class _Settings(NamedTuple):
    clock: Callable[[], float]
    clickhouse_database: str
    clickhouse_user: str
    clickhouse_password: str
    threads: int
    llm: LlmClient | None

    @property
    def few(self) -> int:
        """Threads of adapters that are asked less often."""
        return max(1, self.threads // 2)


# Each maker loads its adapter's libraries itself: a parser, a driver or numpy cost a worker that does not use them
# up to a third of a second each.


def _engines(settings: _Settings) -> Engines:
    from agents.execution.tools.engines.by_name import SQL_ENGINES, make_engine

    account = settings.clickhouse_database, settings.clickhouse_user, settings.clickhouse_password
    return Engines(SQL_ENGINES, lambda name: make_engine(name, *account))


def _direct_query(settings: _Settings) -> Tool:
    from agents.execution.tools.direct_query import DirectQuery

    return DirectQuery(_engines(settings), threads=settings.threads, clock=settings.clock)


def _dynamic(settings: _Settings) -> Tool:
    from agents.execution.tools.dynamic import Dynamic

    return Dynamic(_engines(settings), threads=settings.threads, clock=settings.clock)


def _document_search(settings: _Settings) -> Tool:
    from agents.execution.tools.document_search import DocumentSearch
    from agents.execution.tools.engines.sqlite import SqliteEngine

    return DocumentSearch(SqliteEngine(), threads=settings.few, clock=settings.clock)


def _graph_query(settings: _Settings) -> Tool:
    from agents.execution.tools.engines.by_name import GRAPH_ENGINES
    from agents.execution.tools.graph_query import GraphQuery

    return GraphQuery(Engines(GRAPH_ENGINES), threads=settings.few, clock=settings.clock)


def _baseline_metrics(settings: _Settings) -> Tool:
    from agents.execution.tools.baseline_metrics import BaselineMetrics

    return BaselineMetrics(_engines(settings), threads=settings.few, clock=settings.clock)


def _http_tool(settings: _Settings) -> Tool:
    from agents.execution.outbound.client import GuardedClient
    from agents.execution.tools.http_tool import HttpTool

    return HttpTool(GuardedClient(), clock=settings.clock)


def _prometheus(settings: _Settings) -> Tool:
    from agents.execution.outbound.client import GuardedClient
    from agents.execution.tools.prometheus import Prometheus

    return Prometheus(GuardedClient(), clock=settings.clock)


def _llm_tool(settings: _Settings) -> Tool:
    from agents.execution.tools.llm_tool import LlmTool

    return LlmTool(settings.llm, clock=settings.clock)


def _mcp_tool(settings: _Settings) -> Tool:
    if importlib.util.find_spec("mcp") is None:
        raise MissingExtra("mcp_tool", "mcp")
    from agents.execution.outbound.client import GuardedClient
    from agents.execution.tools.mcp_tool import McpTool

    return McpTool(GuardedClient(), clock=settings.clock)


def _probe(_: _Settings) -> Tool:
    from agents.execution.tools.probe import Probe

    return Probe()


_MAKERS: Mapping[str, Callable[[_Settings], Tool]] = {
    "direct_query": _direct_query,
    "dynamic": _dynamic,
    "document_search": _document_search,
    "graph_query": _graph_query,
    "baseline_metrics": _baseline_metrics,
    "http_tool": _http_tool,
    "prometheus": _prometheus,
    "llm_tool": _llm_tool,
    "mcp_tool": _mcp_tool,
    "probe": _probe,
}
