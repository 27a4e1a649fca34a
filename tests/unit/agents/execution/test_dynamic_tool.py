"""The dynamic tool: fields and operators in, rows out; what is not declared is refused, and every value is bound."""

import asyncio
import operator
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.execution.execution import Execution
from agents.execution.guards.operators import OPERATORS, operator_guard
from agents.execution.guards.verdict import Allow, Refuse
from agents.execution.toolbox import build_tools
from registry.packs import load_pack
from registry.registry import Registry
from schemas.calls import ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode
from tests.support.works_store import MACHINES, NOW, OUTAGES, make_works

PACK = Path(__file__).parents[3] / "packs" / "works"
OURS = [row for row in MACHINES if row[1] == "acme"]

Ask = Callable[..., ToolSucceeded | ToolFailed]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    folder = make_works(tmp_path_factory.mktemp("works")).parent
    registry = Registry.of(load_pack(PACK, {"data": str(folder)}))

    def asked(params: dict[str, Any], **fields: Any) -> ToolSucceeded | ToolFailed:
        async def run() -> ToolSucceeded | ToolFailed:
            execution = Execution(registry, build_tools(registry, clock=lambda: NOW), lambda: NOW)
            called = ToolCalled(
                trace_id="t",
                tenant_id=fields.pop("tenant_id", "acme"),
                user_id="u",
                roles=("viewer",),
                call_id="c",
                step_id="s",
                tool_id="works.table",
                tool_type="dynamic",
                kind="sql",
                params=params,
                timeout_s=10,
                deadline_at=NOW + 60,
                called_at=NOW,
                **fields,
            )
            result = await execution.run(called)
            await execution.close()
            return result

        return asyncio.run(run())

    return asked


def found(result: ToolSucceeded | ToolFailed) -> ToolOutput:
    assert isinstance(result, ToolSucceeded), result
    return result.output


COMPARED = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "gt": operator.gt,
    "lte": operator.le,
    "gte": operator.ge,
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(op=st.sampled_from(sorted(COMPARED)), value=st.integers(0, 200))
def test_a_comparison_means_what_it_says(ask: Ask, op: str, value: int) -> None:
    """Each operator against Python's own, over the tenant's rows alone."""
    params = {
        "table": "machines",
        "fields": ["id"],
        "filters": [{"field": "mem_gb", "op": op, "value": value}],
    }

    rows = found(ask(params)).rows

    assert sorted(row[0] for row in rows) == sorted(m[0] for m in OURS if COMPARED[op](m[6], value))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.sampled_from(["db", "web", "cache", "' OR 1=1 --", ""]), min_size=1, max_size=4))
def test_lists_and_hostile_values_are_bound(ask: Ask, values: list[str]) -> None:
    """`in` and `not_in` part the rows between them, whatever the texts say."""
    ids = {}
    for op in ("in", "not_in"):
        filters = [{"field": "role", "op": op, "value": values}]
        ids[op] = [
            row[0] for row in found(ask({"table": "machines", "fields": ["id"], "filters": filters})).rows
        ]

    assert sorted(ids["in"]) == sorted(m[0] for m in OURS if m[4] in values)
    assert sorted(ids["in"] + ids["not_in"]) == sorted(m[0] for m in OURS)


@given(op=st.text(max_size=12))
def test_no_other_operator_is_allowed(op: str) -> None:
    """Thirteen names and the signs they stand for."""
    verdict = operator_guard({"field": "a", "op": op, "value": 1})
    known = {" ".join(each.split()).lower() for each in (*OPERATORS, *OPERATORS.values(), "is_not_null")}

    if " ".join(op.split()).lower() not in known:
        assert isinstance(verdict, Refuse)
        assert verdict.code is ErrorCode.SQL_BLOCKED


@pytest.mark.parametrize(
    "filter_",
    [
        {"field": "a", "op": "eq", "value": None},
        {"field": "a", "op": "eq", "value": [1]},
        {"field": "a", "op": "in", "value": []},
        {"field": "a", "op": "in", "value": "x"},
        {"field": "a", "op": "between", "value": [1]},
        {"field": "a", "op": "like", "value": 5},
        {"field": "a", "op": "is_null", "value": 5},
        {"field": "a; DROP TABLE x", "op": "eq", "value": 1},
        {"field": "a", "op": "eq", "value": {"$ne": 1}},
        {"field": "a", "op": "eq", "value": "x\x00"},
        {"field": "a", "op": "eq", "value": 1, "or": []},
        "a = 1",
    ],
)
def test_a_value_must_be_of_its_operators_shape(filter_: Any) -> None:
    """What does not fit is INVALID_PARAMS, with a sentence."""
    verdict = operator_guard(filter_)

    assert isinstance(verdict, Refuse)
    assert verdict.code is ErrorCode.INVALID_PARAMS


@pytest.mark.parametrize(
    "sign", ["=", "!=", "<", ">", "<=", ">=", "LIKE", "ilike", "Not  In", "IS NULL", "BETWEEN"]
)
def test_signs_stand_for_names(sign: str) -> None:
    """As SQL spells them, in any case."""
    value: Any = {"not  in": ["x"], "is null": None, "between": ["a", "b"]}.get(sign.lower(), "x")

    assert isinstance(operator_guard({"field": "a", "op": sign, "value": value}), Allow)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"table": "secrets"}, ErrorCode.INVALID_PARAMS),
        ({"table": "machines", "fields": ["password"]}, ErrorCode.INVALID_PARAMS),
        (
            {"table": "machines", "filters": [{"field": "role", "op": "regexp", "value": "x"}]},
            ErrorCode.SQL_BLOCKED,
        ),
        ({"table": "machines", "aggregates": [{"fn": "avg", "as": "x"}]}, ErrorCode.INVALID_PARAMS),
        (
            {"table": "machines", "aggregates": [{"fn": "load_extension", "as": "x"}]},
            ErrorCode.INVALID_PARAMS,
        ),
        ({"table": "machines", "sql": "SELECT 1"}, ErrorCode.INVALID_PARAMS),
        ({"table": "machines", "limit": 0}, ErrorCode.INVALID_PARAMS),
        ({"table": "alarms", "fields": ["machine_id.secret"]}, ErrorCode.INVALID_PARAMS),
        (
            {"table": "outages", "filters": [{"field": "opened_at", "op": "gt", "value": "noon"}]},
            ErrorCode.INVALID_PARAMS,
        ),
    ],
)
def test_what_is_not_declared_is_refused(ask: Ask, params: dict[str, Any], code: ErrorCode) -> None:
    """A code, a sentence for people, and no name of a table or column in it."""
    result = ask(params)

    assert isinstance(result, ToolFailed)
    assert result.error.code is code
    assert "password" not in result.error.message


def test_figures_over_groups_and_what_is_worked_out_of_them(ask: Ask) -> None:
    """Conditional figures, a share, a difference, and a filter over figures."""
    params = {
        "table": "outages",
        "group_by": ["service"],
        "aggregates": [
            {"fn": "count", "as": "n"},
            {"fn": "count", "as": "grave", "where": [{"field": "severity", "op": "eq", "value": "sev1"}]},
            {"fn": "share", "as": "share", "where": [{"field": "severity", "op": "eq", "value": "sev1"}]},
        ],
        "having": [{"field": "n", "op": "gte", "value": 2}],
        "order_by": [{"field": "service"}],
        "derived": [{"as": "others", "op": "difference", "left": "n", "right": "grave"}],
        "total": True,
    }

    output = found(ask(params))

    assert [column.name for column in output.columns] == ["service", "n", "grave", "share", "others"]
    assert output.rows == [["checkout", 2, 1, 50.0, 1], ["payments", 2, 1, 50.0, 1]]
    assert output.facts["total"] == 2
    assert output.query.startswith("works.table(Outages: count, count (severity is sev1)")


def test_computed_fields_and_percentiles_are_exact(ask: Ask) -> None:
    """Minutes between two times, and quantiles with linear interpolation."""
    fns = ["avg", "median", "p90"]
    params = {"table": "outages", "aggregates": [{"fn": fn, "field": "duration", "as": fn} for fn in fns]}

    row = found(ask(params)).rows[0]

    minutes = [90.0, 30.0, 240.0]
    assert row == pytest.approx(
        [statistics.mean(minutes), 90.0, statistics.quantiles(minutes, n=10, method="inclusive")[8]]
    )


def test_a_looked_up_field_filters_and_groups(ask: Ask) -> None:
    """By the declared reference, within the tenant."""
    params = {
        "table": "alarms",
        "filters": [{"field": "machine_id.role", "op": "eq", "value": "db"}],
        "group_by": ["machine_id.hostname"],
    }

    assert found(ask(params)).rows == [["db-1", 2]]


def test_days_can_begin_in_another_zone(ask: Ask) -> None:
    """An outage at 10:00 UTC is of the same day in Seoul; one at 16:00 would be of the next."""
    bucket = {"field": "opened_at", "bucket": "week", "offset_minutes": 540}

    rows = found(ask({"table": "outages", "group_by": [bucket]})).rows

    assert sum(row[1] for row in rows) == len([row for row in OUTAGES if row[1] == "acme"])
    assert ["2026-11-16", 2] in rows
