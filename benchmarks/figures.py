"""The figures of docs/performance.md, one function each. All return numbers; none judges."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from benchmarks.driver import Driver, Question, ops_question, rival_question
from benchmarks.processes import OpsloomWorker, opsloom_worker, rival

WARM_UP = 2_000
QUESTIONS = 10_000
BURST = 1_000
OPEN_TRACES = 10_000


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    name: str
    value: str
    goal: str
    reached: bool


def no_op_steps() -> list[dict[str, object]]:
    """Three calls that return at once, with parameters of the size of the rival's."""
    params = {"value": "how much of everything is there, and why " * 3}
    return [{"step_id": f"s{number}", "tool_id": "probe", "params": params} for number in range(3)]


def sleeping_steps(count: int, seconds: float) -> list[dict[str, object]]:
    """Calls that take their time side by side."""
    tools = ("probe", "probe_b", "probe_c", "probe_d", "probe_e")
    return [
        {"step_id": f"s{number}", "tool_id": tools[number % len(tools)], "params": {"sleep_s": seconds}}
        for number in range(count)
    ]


class Measured(NamedTuple):
    """Answers per second, and µs of CPU of the busiest interpreter and of all for one question."""

    rate: float
    busiest_us: float
    all_us: float


def measured_rate(driver: Driver, make: Callable[[], Question], cpu_s: Callable[[], list[float]]) -> Measured:
    """After warming up."""
    driver.rate([make() for _ in range(WARM_UP)])
    questions = [make() for _ in range(QUESTIONS)]
    before = cpu_s()
    rate = driver.rate(questions)
    used = [(after - earlier) / QUESTIONS * 1e6 for after, earlier in zip(cpu_s(), before, strict=True)]
    return Measured(rate, max(used), sum(used))


def rates(broker: str, codec: str, processes: int) -> tuple[Measured, Measured]:
    """Of opsloom and of the rival, measured one after the other."""
    with opsloom_worker(broker, codec, processes) as worker:
        driver = Driver(broker, worker.questions, worker.answers)
        mine = measured_rate(driver, lambda: ops_question(no_op_steps()), lambda: worker.cpu_s)
        driver.close()
    with rival(broker) as (prefix, process):
        driver = Driver(broker, f"{prefix}questions", f"{prefix}answers")
        theirs = measured_rate(driver, rival_question, lambda: [sum(process.cpu_times()[:2])])
        driver.close()
    return mine, theirs


def throughput(broker: str, codec: str, cycles: int, goal: float, processes: int = 1) -> Figure:
    """Answers per second as a ratio to the rival (one process), median of the cycles. The CPU time of one question
    beside it is disturbed less by other work on the machine."""
    pairs = [rates(broker, codec, processes) for _ in range(cycles)]
    ratio = median(mine.rate / theirs.rate for mine, theirs in pairs)
    mine, theirs = (
        Measured(*(median(figures) for figures in zip(*side, strict=True)))
        for side in zip(*pairs, strict=True)
    )
    value = f"{ratio:.2f} ({mine.rate:,.0f}/s to {theirs.rate:,.0f}/s; CPU {mine.all_us:.0f} to {theirs.all_us:.0f} µs"
    value += ")" if processes == 1 else f", {mine.busiest_us:.0f} of the busiest)"
    over = codec if processes == 1 else f"{codec}, {processes} processes"
    return Figure(f"no-op answers/s to aiokafka by hand, {over}", value, f">= {goal}", ratio >= goal)


def chain(broker: str, cycles: int) -> Figure:
    """Three tools of 100 ms, each waiting for the one before: question to answer, one at a time."""
    steps = sleeping_steps(3, 0.1)
    for number, step in enumerate(steps[1:]):
        step["depends_on"] = [f"s{number}"]
    with opsloom_worker(broker) as worker:
        driver = Driver(broker, worker.questions, worker.answers)
        driver.rate([ops_question(no_op_steps()) for _ in range(200)])
        times_ms = sorted(driver.latencies_s([ops_question(steps)])[0] * 1e3 for _ in range(cycles * 5))
        driver.close()
    value = median(times_ms)
    spread = f"{times_ms[0]:.0f}-{times_ms[-1]:.0f}"
    return Figure("a chain of 3 tools of 100 ms", f"{value:.0f} ms ({spread})", "<= 345 ms", value <= 345)


def five_tools(broker: str, cycles: int) -> Figure:
    """Five independent tools of 500 ms: question to answer, one at a time."""
    with opsloom_worker(broker) as worker:
        driver = Driver(broker, worker.questions, worker.answers)
        driver.rate([ops_question(no_op_steps()) for _ in range(200)])
        times_ms = sorted(
            driver.latencies_s([ops_question(sleeping_steps(5, 0.5))])[0] * 1e3 for _ in range(cycles * 3)
        )
        driver.close()
    value = median(times_ms)
    spread = f"{times_ms[0]:.0f}-{times_ms[-1]:.0f}"
    return Figure("5 tools of 500 ms, one question", f"{value:.0f} ms ({spread})", "<= 520 ms", value <= 520)


def burst(broker: str, cycles: int, processes: int = 1) -> Figure:
    """1,000 questions at once, three tools of 200 ms each: p50 and p99."""
    p50s, p99s = [], []
    with opsloom_worker(broker, "json", processes) as worker:
        driver = Driver(broker, worker.questions, worker.answers)
        driver.rate([ops_question(no_op_steps()) for _ in range(WARM_UP)])
        for _ in range(cycles):
            times = driver.latencies_s([ops_question(sleeping_steps(3, 0.2)) for _ in range(BURST)])
            p50s.append(times[len(times) // 2] * 1e3)
            p99s.append(times[int(len(times) * 0.99)] * 1e3)
            time.sleep(0.5)
        driver.close()
    p50, p99 = median(p50s), median(p99s)
    value = f"{p50:.0f} / {p99:.0f} ms"
    name = "1,000 at once, 3 tools of 200 ms: p50 / p99" + (
        f", {processes} processes" if processes > 1 else ""
    )
    return Figure(name, value, "<= 330 / 450 ms", p50 <= 330 and p99 <= 450)


def restart(broker: str, cycles: int) -> Figure:
    """From `kill -9` and a start right after it to the first answer, with 10,000 open traces."""
    seconds = []
    for _ in range(cycles):
        with opsloom_worker(broker) as worker:
            driver = Driver(broker, worker.questions, worker.answers)
            driver.rate([ops_question(no_op_steps()) for _ in range(200)])
            driver.send([ops_question(sleeping_steps(1, 100.0), deadline_s=110) for _ in range(OPEN_TRACES)])
            driver.rate([ops_question([no_op_steps()[0]]) for _ in range(200)])  # all before them is planned
            time.sleep(1.5)
            seconds.append(_killed_and_back(worker, driver))
            driver.close()
    value = median(seconds)
    return Figure(
        "kill -9 to first answer, 10,000 open traces",
        f"{value:.1f} s ({min(seconds):.1f}-{max(seconds):.1f})",
        "<= 4 s",
        value <= 4,
    )


def _killed_and_back(worker: OpsloomWorker, driver: Driver) -> float:
    began = time.monotonic()
    worker.kill()
    worker.launch()
    driver.until_answered([ops_question([no_op_steps()[0]]) for _ in range(4)])
    return time.monotonic() - began


def memory(broker: str) -> Figure:
    """Resident memory of the worker after 10,000 and after 100,000 questions."""
    with opsloom_worker(broker) as worker:
        driver = Driver(broker, worker.questions, worker.answers)
        _ask_many(driver, 10_000)
        early = worker.rss_mb
        _ask_many(driver, 90_000)
        late = worker.rss_mb
        driver.close()
    value = f"{early:.0f} -> {late:.0f} MB ({late - early:+.0f})"
    reached = late - early <= 20 and late <= 250
    return Figure("memory after 10,000 -> 100,000 questions", value, "<= +20 MB, <= 250 MB", reached)


def _ask_many(driver: Driver, count: int) -> None:
    for _ in range(count // 5_000):
        batch: Sequence[Question] = [ops_question(no_op_steps()) for _ in range(5_000)]
        driver.rate(batch)
