"""Figures of single parts, without a broker: planning, validation, the guards. CPU time, so that a busy machine
disturbs little."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from agents.execution.admission import Admission, Admitted
from agents.execution.asking import Asking
from agents.execution.bounds import measured
from agents.execution.gates import Gates
from agents.execution.guards.by_engine import GUARDS
from agents.execution.guards.verdict import Bounds, Refuse
from agents.execution.tool import Invocation
from agents.execution.toolbox import build_tools
from agents.execution.turnstile import Pass
from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from benchmarks.driver import TENANT, ops_question
from benchmarks.figures import Figure
from benchmarks.nouns import HEADERS, Nouns, measured_parts
from registry.assets import ToolAsset
from registry.pack import Pack
from registry.packs import load_pack
from registry.registry import Registry
from schemas.calls import ToolCalled, ToolOutput
from schemas.plans import PlanFailed, PlanMade
from schemas.questions import QuestionAsked
from streams.intake import read_question

PLANT = Path(__file__).parents[1] / "packs" / "plant"
TOOLS = 200
PLANNED = 200
ROUNDS = 5
STEPS = 20
STATEMENT = (
    "SELECT s.service, count(*) AS n, avg(s.value) AS mean, max(s.value) AS worst FROM metrics_daily s "
    "JOIN incidents i ON i.service = s.service WHERE s.day >= '2026-11-01' AND i.severity IN ('sev1', 'sev2') "
    "AND s.metric = 'latency_p95_ms' GROUP BY s.service HAVING count(*) > 3 ORDER BY worst DESC, s.service LIMIT 20"
)
TABLES = {
    "metrics_daily": ("tenant_id", "day", "service", "metric", "value", "samples"),
    "incidents": ("id", "tenant_id", "service", "severity", "opened_at", "closed_at"),
}


def cpu_us(work: Callable[[], object]) -> float:
    """CPU time of one call."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1e6


def planning() -> Figure:
    """Questions of the sample world, each asked for the first time, among two hundred tools."""
    pack = load_pack(PLANT, {"data": "/nowhere"})
    names = (
        "stock",
        "payroll",
        "printers",
        "badges",
        "parking",
        "travel",
        "leases",
        "canteen",
        "lifts",
        "gates",
    )
    others = tuple(
        ToolAsset(
            id=f"other.t{number}",
            name=f"{names[number % 10].title()} of site {number}",
            description=f"Counts and lists the {names[number % 10]} of site {number}, by day and by owner.",
            tool_type="probe",
            kind="sql",
        )
        for number in range(TOOLS - len(pack.tools))
    )
    registry = Registry.of(pack, Pack(id="other", title="Others", folder=PLANT, tools=others))
    planner = Planning(registry, [RulesPlanner()])
    lines = [
        orjson.loads(line) for line in (PLANT / "questions" / "measured_only.jsonl").read_bytes().splitlines()
    ]
    questions = [_asked(line["question"], line["tenant"]) for line in lines[: PLANNED + 1]]
    planner.decide(questions[0], trace_id="0" * 32, now=time.time())  # reads the catalogue
    took = [
        cpu_us(lambda question=question: planner.decide(question, trace_id="0" * 32, now=time.time()))  # type: ignore[misc]
        for question in questions[1:]
    ]
    value = median(took) / 1e3
    shown = f"{value:.2f} ms (p95 {sorted(took)[int(len(took) * 0.95)] / 1e3:.1f} ms)"
    return Figure(f"rules planning, p50, {TOOLS} tools", shown, "<= 3 ms", value <= 3.0)


def _asked(question: str, tenant: str) -> QuestionAsked:
    now = time.time()
    event = orjson.loads(ops_question([]).value) | {"question": question, "tenant_id": tenant}
    del event["plan"]
    found = read_question(
        orjson.dumps(event), [("tenant_id", tenant.encode())], now, Nouns("json").road.codec
    )
    assert isinstance(found, QuestionAsked), found
    return found


def twenty_steps() -> Figure:
    """A plan of twenty steps, six deep, validated for the first time: nothing of it is remembered."""
    nouns = Nouns("json")
    took = []
    for number in range(50):
        steps: list[dict[str, Any]] = [
            {
                "step_id": f"s{number}-{each}",
                "tool_id": "probe",
                "params": {"value": each},
                "depends_on": [f"s{number}-{each - 4}"] if each >= 4 else [],
            }
            for each in range(STEPS)
        ]
        asked = read_question(ops_question(steps).value, HEADERS, time.time(), nouns.road.codec)
        assert isinstance(asked, QuestionAsked)
        plans: list[PlanMade | PlanFailed] = []
        took.append(
            cpu_us(lambda: plans.append(nouns.planning.decide(asked, trace_id="0" * 32, now=time.time())))  # noqa: B023
        )
        assert isinstance(plans[0], PlanMade), plans[0]
    value = median(took) / 1e3
    return Figure(f"a plan of {STEPS} steps validated", f"{value:.2f} ms", "<= 1 ms", value <= 1.0)


def sql_guard() -> Figure:
    """A statement of some three hundred characters, judged for the first time."""
    bounds, guard = Bounds(TABLES, "tenant_id", 1_000), GUARDS["postgres"]
    took = []
    for number in range(200):
        statement = STATEMENT.replace("> 3", f"> {number}")
        took.append(cpu_us(lambda: guard(statement, bounds, {})))  # noqa: B023
        assert not isinstance(guard(statement, bounds, {}), Refuse)
    again = median(cpu_us(lambda: guard(STATEMENT.replace("> 3", "> 5"), bounds, {})) for _ in range(100))
    value = median(took) / 1e3
    shown = f"{value:.2f} ms (again: {again:.0f} µs; {len(STATEMENT)} characters)"
    return Figure("SQL guard, p50", shown, "<= 1.5 ms", value <= 1.5)


def guards_share() -> Figure:
    """What stands between a call and its tool, and between the tool and its result, as a part of all nouns."""
    nouns = Nouns("json")
    for _, work in nouns.parts():
        work()
    calls: Sequence[ToolCalled] = nouns.calls_read
    best = min(asyncio.run(_guarded(calls)) for _ in range(ROUNDS)) / len(nouns.raw)
    whole = sum(measured_parts("json", ROUNDS).values())
    share = best / whole
    shown = f"{share:.1%} ({best:.0f} of {whole:.0f} µs)"
    return Figure("guards' share of a no-op question", shown, "<= 10 %", share <= 0.1)


async def _guarded(calls: Sequence[ToolCalled]) -> float:
    """µs of CPU for admission, parameters, turnstile and bounds of these calls."""
    nouns = Nouns("json")
    registry = nouns.planning.registry
    tools = build_tools(registry)
    admission, asking = Admission(registry, tools, 1_000_000), Asking(registry)
    gates = Gates(time.time)
    output = await tools["probe"].run(_invocation(admission, asking, calls[0]))
    assert isinstance(output, ToolOutput)

    def all_of_them() -> None:
        for call in calls:
            admitted = admission.of(call.tool_id, call.tenant_id, call.roles)
            assert isinstance(admitted, Admitted)
            asking.invocation(call, admitted, 1.0, 0.0)
            turnstile = gates.turnstile(admitted)
            passed = turnstile.try_enter(call.tenant_id, time.time())
            assert isinstance(passed, Pass)
            turnstile.leave(passed, True, None, time.time())
            measured(output, admitted.row_cap, admitted.max_bytes)

    return cpu_us(all_of_them)


def _invocation(admission: Admission, asking: Asking, call: ToolCalled) -> Invocation:
    admitted = admission.of(call.tool_id, TENANT, call.roles)
    assert isinstance(admitted, Admitted)
    found = asking.invocation(call, admitted, 1.0, 0.0)
    assert isinstance(found, Invocation)
    return found
