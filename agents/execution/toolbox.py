"""The adapters a registry needs, made ready: what no published tool uses is not made."""

import importlib.util
import time
from collections.abc import Callable, Mapping

from agents.execution.tool import Tool
from agents.execution.tools.baseline_metrics import BaselineMetrics
from agents.execution.tools.direct_query import DirectQuery
from agents.execution.tools.document_search import DocumentSearch
from agents.execution.tools.engines.clickhouse import ClickHouseEngine
from agents.execution.tools.engines.engine import Engine
from agents.execution.tools.engines.ladybug import LadybugEngine
from agents.execution.tools.engines.sqlite import SqliteEngine
from agents.execution.tools.graph_query import GraphQuery
from agents.execution.tools.probe import Probe
from registry.registry import Registry


class MissingExtra(RuntimeError):
    """A tool needs a library that is not installed: `extra` names what to install."""

    def __init__(self, tool_type: str, extra: str) -> None:
        super().__init__(f'{tool_type} needs the extra {extra}. Install it: pip install "opsloom[{extra}]"')
        self.extra = extra


def build_tools(
    registry: Registry,
    *,
    clock: Callable[[], float] = time.time,
    clickhouse_database: str = "opsloom",
    clickhouse_user: str = "default",
    clickhouse_password: str = "",
    threads: int = 8,
) -> dict[str, Tool]:
    """Adapters by tool type, for every type the registry's tools are of and this house has. They open nothing
    yet. A tool type nobody knows is left out: its calls end in ASSET_LOAD_FAILED. Raises `MissingExtra`."""

    def engines() -> Mapping[str, Engine]:
        clickhouse = ClickHouseEngine(clickhouse_database, clickhouse_user, clickhouse_password)
        return {"sqlite": SqliteEngine(), "clickhouse": clickhouse}

    few = max(1, threads // 2)
    makers: Mapping[str, Callable[[], Tool]] = {
        "direct_query": lambda: DirectQuery(engines(), threads=threads, clock=clock),
        "document_search": lambda: DocumentSearch(SqliteEngine(), threads=few, clock=clock),
        "graph_query": lambda: GraphQuery(_graph_engine(), threads=few, clock=clock),
        "baseline_metrics": lambda: BaselineMetrics(engines(), threads=few, clock=clock),
        "probe": Probe,
    }
    used = {tool.tool_type for tool in registry.tools.values()}
    return {tool_type: make() for tool_type, make in makers.items() if tool_type in used}


def _graph_engine() -> Engine:
    if importlib.util.find_spec("ladybug") is None:
        raise MissingExtra("graph_query", "graph")
    return LadybugEngine()
