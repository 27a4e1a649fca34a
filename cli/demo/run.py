"""Run the demo from curtain to curtain, and say whether all of it was as promised."""

import asyncio
import dataclasses
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.demo.script import HANGING_DEADLINE_S, HANGING_PLAN, HANGING_QUESTION, SCRIPT, Line
from cli.demo.stage import Stage
from cli.demo.telling import Telling
from cli.demo.truths import Truth
from opsloom import AnswerComposed, Client, OpsloomError, Status
from sinks.client import connect
from sinks.queries.slo import SloReport, slo

TENANT = "local"
LATE_S = 1.0
"""An answer comes by its deadline and this."""
COUNTED_S = 10.0
"""How long ClickHouse may take to have counted every answer."""


@dataclass
class Outcome:
    """What went wrong, in sentences; nothing means that all was as promised."""

    asked: int = 0
    calls: int = 0
    """Calls of tools that the answers tell of."""
    faults: list[str] = field(default_factory=list)


def run_demo(data: str | None, json_output: bool, clock: Callable[[], float] = time.time) -> int:
    """Exit code 0 if everything was as promised, else 1. Raises StageError, NotReachable, ClickHouseError."""
    folder = Path(data).expanduser() if data else _cache_folder() / "demo"
    telling = Telling(as_json=json_output)
    outcome = Outcome()
    began = clock()
    with telling.starting() as progress:
        stage = Stage(folder, progress)
        stage.start()
    try:
        telling.stage(stage.ready, clock() - began)
        asked_from = clock()
        asyncio.run(_ask_all(stage.ready["broker"], telling, outcome, clock))
        with telling.waiting("ClickHouse is counting …"):
            report = _count(stage.ready["clickhouse"], asked_from, outcome, clock)
        outcome.faults += _lacking(report, outcome)
        telling.report(dataclasses.asdict(report))
    finally:
        with telling.waiting("Stopping …"):
            stage.stop()
    telling.end(outcome.asked, outcome.faults, clock() - began, folder)
    return 1 if outcome.faults else 0


def _cache_folder() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "opsloom"


async def _ask_all(broker: str, telling: Telling, outcome: Outcome, clock: Callable[[], float]) -> None:
    async with Client(broker, tenant_id=TENANT) as client:
        for line in SCRIPT:
            with telling.waiting(line.question):
                answer = await _ask(client, line.question, outcome)
            if answer is not None:
                truth = _judge(line, answer, outcome)
                telling.answer(line.kind, answer, truth)
        telling.hanging(HANGING_DEADLINE_S)
        began = clock()
        with telling.waiting(HANGING_QUESTION):
            answer = await _ask(
                client, HANGING_QUESTION, outcome, plan=HANGING_PLAN, deadline_s=HANGING_DEADLINE_S
            )
        if answer is not None:
            truth = _judge_hanging(answer, clock() - began, outcome)
            telling.answer("hanging", answer, truth)


async def _ask(client: Client, question: str, outcome: Outcome, **asking: Any) -> AnswerComposed | None:
    outcome.asked += 1
    try:
        answer = await client.ask(question, user="demo", timeout_s=30.0, **asking)
    except OpsloomError as exc:
        outcome.faults.append(f"{question} {exc.reason}")
        return None
    outcome.calls += sum(result.status != "skipped" for result in answer.results)
    return answer


def _judge(line: Line, answer: AnswerComposed, outcome: Outcome) -> Truth:
    if answer.status is not Status.SUCCESS:
        outcome.faults.append(f"{line.question} The status is {answer.status.value}, not success.")
    try:
        truth = line.check(answer)
    except FileNotFoundError as exc:
        return Truth(True, f"nothing: there is no {exc.filename} on this system")
    if not truth.ok:
        outcome.faults.append(f"{line.question} {truth.difference}.")
    return truth


def _judge_hanging(answer: AnswerComposed, took_s: float, outcome: Outcome) -> Truth:
    """Partial, with what the quick tool found, and in time."""
    limit_s = HANGING_DEADLINE_S + LATE_S
    against = f"the clock: answered {took_s:.2f} s after it was asked, at most {limit_s:g} s allowed"
    faults = []
    if answer.status is not Status.PARTIAL_SUCCESS:
        faults.append(f"the status is {answer.status.value}, not partial_success")
    if took_s > limit_s:
        faults.append(f"it took {took_s:.2f} s")
    if "host_config" not in answer.successful_tools or "slow_probe" not in answer.failed_tools:
        faults.append("the wrong tools succeeded")
    outcome.faults += [f"{HANGING_QUESTION} {fault}." for fault in faults]
    return Truth(not faults, against, "; ".join(faults))


def _count(url: str, since: float, outcome: Outcome, clock: Callable[[], float]) -> SloReport:
    """The report over the demo's own time, as soon as everything is in it, or after COUNTED_S."""
    client = connect(url, role="reader", wait_s=5.0)
    try:
        give_up_at = clock() + COUNTED_S
        while True:
            now = clock()
            report = slo(client, now - since, now, tenant_id=TENANT)
            if not _lacking(report, outcome) or now >= give_up_at:
                return report
            time.sleep(0.2)
    finally:
        client.close()


def _lacking(report: SloReport, outcome: Outcome) -> list[str]:
    """What the report does not hold (yet), in sentences."""
    found = []
    if report.answers != outcome.asked:
        found.append(f"ClickHouse counted {report.answers} answers to {outcome.asked} questions.")
    calls = report.tool_execution_latency.count if report.tool_execution_latency else 0
    if calls != outcome.calls:
        found.append(f"ClickHouse measured {calls} of {outcome.calls} calls.")
    measured = {stage: quantiles.count for stage, quantiles in report.stage_latency.items()}
    if measured.get("response") != outcome.asked:
        found.append(f"ClickHouse measured the phases of {measured.get('response', 0)} answers.")
    if not report.latency_p50 or not report.timeout_rate or not report.tool_fail_rate:
        found.append("The SLO table does not tell of the tool that hung.")
    return found
