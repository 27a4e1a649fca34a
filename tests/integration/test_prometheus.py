"""The Prometheus tool on the guarded path, against a real Prometheus."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from registry.assets import SourceAsset
from registry.outbound_assets import OutboundSpec, PromCall
from registry.registry import Registry
from schemas.calls import Shape, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode
from tests.support import execution_stores as stores
from tests.support.prometheus import MINUTES, SAMPLES_AT, running_prometheus

END = SAMPLES_AT + 60 * (MINUTES - 1)
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture
async def ask(address: str) -> AsyncIterator[Ask]:
    made: list[Execution] = []

    async def asked(
        params: dict[str, Any], prometheus: PromCall | None = None, location: str = "", **called: Any
    ) -> ToolSucceeded | ToolFailed:
        source = SourceAsset(
            id="metrics",
            engine="prometheus",
            location=location or address,
            outbound=OutboundSpec(internal=True),
        )
        tool = stores.tool("prom", "prometheus", "timeseries", "metrics", prometheus=prometheus)
        registry = Registry.of().register(source).register(tool)
        made.append(Execution(registry, build_tools(registry), time.time, chance=lambda: 0.0))
        return await made[-1].run(stores.call("prom", params, now=time.time(), **called))

    yield asked
    for execution in made:
        await execution.close()


def output_of(result: ToolSucceeded | ToolFailed) -> ToolOutput:
    assert isinstance(result, ToolSucceeded), result
    return result.output


def code_of(result: ToolSucceeded | ToolFailed) -> ErrorCode:
    assert isinstance(result, ToolFailed), result
    return result.error.code


async def test_a_range_of_one_series_is_a_series(ask: Ask) -> None:
    """Only the asker's own: the other tenant's temperature is 200 and more."""
    output = output_of(await ask({"promql": "temperature", "from": END - 600, "to": END, "step_s": 60}))

    assert output.shape is Shape.SERIES
    assert [column.name for column in output.columns] == ["at", "value"]
    assert [row[0] for row in output.rows] == [END - 600 + 60 * n for n in range(11)]
    assert {row[1] for row in output.rows} == {20.0, 21.0, 22.0}
    assert output.facts["max"] == 22.0


async def test_several_series_are_a_table_without_the_tenants_label(ask: Ask) -> None:
    output = output_of(
        await ask({"promql": "rate(http_requests_total[5m])", "from": END - 300, "to": END, "step_s": 60})
    )

    assert output.shape is Shape.TABLE
    assert {(row[2], round(row[1], 3)) for row in output.rows} == {
        ("{code=200, service=checkout}", 1.0),
        ("{code=200, service=search}", 0.5),
    }
    assert "globex" not in str(output)
    assert "acme" not in str(output.rows)


async def test_one_moment_is_a_table_of_labels(ask: Ask) -> None:
    output = output_of(await ask({"promql": "sum by (service) (http_requests_total)", "at": END}))

    assert sorted(row[:2] for row in output.rows) == [["checkout", 3540.0], ["search", 1770.0]]


async def test_another_tenants_series_cannot_be_asked_for(ask: Ask) -> None:
    for query in (
        'temperature{tenant_id="globex"}',
        'temperature{tenant_id=~".+"}',
        '{tenant_id="globex"}',
        'temperature{tenant_id="acme"} or temperature{tenant_id!="acme"}',
    ):
        assert code_of(await ask({"promql": query, "at": END})) is ErrorCode.POLICY_DENY

    output = output_of(await ask({"promql": 'max({__name__=~".+"})', "at": END}))
    assert output.facts["value"] == 3540.0


async def test_a_declared_query_takes_values_as_values(ask: Ask) -> None:
    declared = PromCall(
        queries={"rate": 'sum(rate(http_requests_total{service=~"{service}"}[{window}])) or vector(0)'}
    )

    given = {"query": "rate", "values": {"service": "checkout", "window": "5m"}, "at": END}
    assert output_of(await ask(given, declared)).facts["value"] == pytest.approx(1.0)

    trick = {"query": "rate", "values": {"service": '.*"} or x{a="', "window": "5m"}, "at": END}
    assert output_of(await ask(trick, declared)).facts["value"] == 0.0

    for values in ({"service": "a"}, {"service": "a", "window": "5m])) or (("}):
        code = code_of(await ask({"query": "rate", "values": values, "at": END}, declared))
        assert code is ErrorCode.INVALID_PARAMS
    assert code_of(await ask({"promql": "up"}, declared)) is ErrorCode.INVALID_PARAMS


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"promql": "temperature", "from": END - 86_400, "to": END, "step_s": 1}, ErrorCode.INVALID_PARAMS),
        ({"promql": "temperature", "from": END, "to": END - 1}, ErrorCode.INVALID_PARAMS),
        ({"promql": "temperature", "from": 0, "to": END}, ErrorCode.INVALID_PARAMS),
        ({}, ErrorCode.INVALID_PARAMS),
        ({"promql": "temperature", "surprise": 1}, ErrorCode.INVALID_PARAMS),
        ({"promql": "temperature["}, ErrorCode.POLICY_DENY),
        ({"promql": "temperature + on(service) temperature[5m]", "at": END}, ErrorCode.TOOL_BAD_REQUEST),
    ],
)
async def test_what_does_not_fit_has_its_code(ask: Ask, params: dict[str, Any], code: ErrorCode) -> None:
    assert code_of(await ask(params)) is code


async def test_rows_beyond_the_cap_are_cut(ask: Ask) -> None:
    params = {"promql": "temperature", "from": END - 600, "to": END, "step_s": 60}

    output = output_of(await ask(params, max_rows=3))

    assert (len(output.rows), output.truncated) == (3, True)


async def test_a_prometheus_that_is_away_tells_nothing(ask: Ask) -> None:
    result = await ask({"promql": "up"}, location="http://127.0.0.1:9")

    assert code_of(result) is ErrorCode.UPSTREAM_UNAVAILABLE
    assert "127.0.0.1" not in result.error.message
