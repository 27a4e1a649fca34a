"""Where a no-op question's CPU goes: each noun of the road by itself, in one process and without a broker.

`python -m benchmarks.nouns [--codec avro] [--profile PART]`. CPU time of this thread, so that a busy machine disturbs
little; the best of some rounds.
"""

import argparse
import asyncio
import cProfile
import gc
import os
import pstats
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any, Literal

from agents.aggregation.join import Dispatch, Publish, fold
from agents.aggregation.trace import Trace, write_trace
from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from benchmarks.driver import PARTITIONS, ops_question
from benchmarks.figures import no_op_steps
from registry.packs import load_pack
from registry.registry import Registry
from schemas.calls import ToolCalled
from schemas.ids import trace_id
from schemas.questions import QuestionAsked
from streams.codecs import AGGREGATION_WORDS, Codec
from streams.counters import Counters
from streams.intake import read_question
from streams.lane.eager import start
from streams.road import Road
from streams.schema_ids import FileIds
from streams.topics import Topics
from streams.worker import GC_THRESHOLDS

QUESTIONS = 1_000
ROUNDS = 7
PACK = Path(__file__).parent / "pack"
CALLS = {"ToolCalled": ToolCalled}
HEADERS = [("tenant_id", b"bench")]

Part = tuple[str, Callable[[], Any]]


def registry() -> Registry:
    """The benchmark's pack."""
    return Registry.of(load_pack(PACK, {}))


class Nouns:
    """One round of questions through every part, each part's results kept for the next one."""

    def __init__(self, codec: Literal["json", "avro"]) -> None:
        assets = registry()
        self.road = Road(Topics("", PARTITIONS), Codec(FileIds.load(), codec), Counters("bench"), time.time)
        self.planning = Planning(assets, [RulesPlanner()], clock=time.time, adapters=build_tools(assets))
        self.execution = Execution(assets, build_tools(assets), time.time)
        self.calls_read: list[ToolCalled] = []
        self.plans_read: list[Any] = []
        self.results_read: list[Any] = []
        self.raw = [ops_question(no_op_steps()).value for _ in range(QUESTIONS)]

    def parts(self) -> Iterator[Part]:
        """In the order of the road; each works on what the one before left."""
        yield "read the question: the edge's checks", self.read
        yield "decide: the producer's plan validated", self.decide
        yield "plan to bytes and back", lambda: self.carry("plans", AGGREGATION_WORDS)
        yield "fold of the plan, three dispatches", self.fold_plans
        yield "the changelog's row", lambda: [write_trace(trace) for trace in self.open]
        yield "calls to bytes and back", lambda: self.carry("calls", CALLS)
        yield "the guarded path and the tool, three times", self.run_calls
        yield "results to bytes and back", lambda: self.carry("results", AGGREGATION_WORDS)
        yield "three folds and the composition", self.fold_results
        yield (
            "answer to bytes",
            lambda: [self.road.item(a.trace_id, a, tenant_id="bench") for a in self.answers],
        )

    def read(self) -> None:
        now = time.time()
        found = [read_question(raw, HEADERS, now, self.road.codec) for raw in self.raw]
        self.questions = [question for question in found if isinstance(question, QuestionAsked)]
        assert len(self.questions) == QUESTIONS

    def decide(self) -> None:
        now = time.time()
        self.plans: list[Any] = [
            self.planning.begin(q, trace_id=trace_id(q.tenant_id, q.question_id), now=now)
            for q in self.questions
        ]

    def carry(self, name: str, words: Any) -> None:
        """To bytes as the road does it, and back."""
        road, decode = self.road, self.road.codec.decode
        events = getattr(self, name)
        keyed = [road.item(event.trace_id, event) for event in events]
        for event in events:
            road.partition(event.trace_id)
        setattr(self, f"{name}_read", [decode(item[1] or b"", words) for item in keyed])

    def fold_plans(self) -> None:
        now = time.time()
        self.open: list[Trace] = []
        self.calls: list[ToolCalled] = []
        for plan in self.plans_read:
            trace, outputs = fold(None, plan, now)
            assert trace is not None
            self.open.append(trace)
            self.calls += [output.call for output in outputs if isinstance(output, Dispatch)]

    def run_calls(self) -> None:
        self.results = asyncio.run(self._run_calls())

    async def _run_calls(self) -> list[Any]:
        done: list[Any] = []
        loop, caller = asyncio.get_running_loop(), asyncio.current_task()
        context = copy_context()

        async def one(call: ToolCalled) -> None:
            done.append(await self.execution.run(call))

        for call in self.calls_read:
            start(one(call), loop, caller, context)
        return done

    def fold_results(self) -> None:
        now = time.time()
        self.answers: list[Any] = []
        results = self.results_read
        for number, trace in enumerate(self.open):
            state: Trace | None = trace
            for result in results[3 * number : 3 * number + 3]:
                state, outputs = fold(state, result, now)
            self.answers += [output.answer for output in outputs if isinstance(output, Publish)]
        assert len(self.answers) == QUESTIONS
        assert all(answer.status == "success" for answer in self.answers)


def measured_parts(codec: Literal["json", "avro"], rounds: int = ROUNDS) -> dict[str, float]:
    """Part → µs of CPU a question."""
    best: dict[str, float] = {}
    gc.set_threshold(*GC_THRESHOLDS)
    for _ in range(rounds):
        nouns = Nouns(codec)
        gc.collect()
        gc.freeze()
        for name, work in nouns.parts():
            began = time.thread_time()
            work()
            took = (time.thread_time() - began) / QUESTIONS * 1e6
            best[name] = min(took, best.get(name, took))
    return best


def profile(codec: Literal["json", "avro"], wanted: str) -> None:
    """Print what a part spends its time in."""
    nouns = Nouns(codec)
    for name, work in nouns.parts():
        if wanted not in name:
            work()
            continue
        profiler = cProfile.Profile()
        profiler.runcall(work)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(28)


def table(columns: Iterable[dict[str, float]]) -> None:
    """Print parts and their costs side by side, and the sum."""
    shown = list(columns)
    for name in shown[0]:
        print(f"{name:<48}", *(f"{column[name]:8.1f}" for column in shown))
    print(f"{'sum':<48}", *(f"{sum(column.values()):8.1f}" for column in shown))


def main() -> None:
    """Print the table, JSON beside Avro, or profile one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--codec", nargs="*", choices=("json", "avro"), default=["json", "avro"])
    arguments = parser.parse_args()
    if arguments.profile:
        profile(arguments.codec[0], arguments.profile)
        return
    print("µs of CPU a question, load", *(f"{load:.1f}" for load in os.getloadavg()), " ", *arguments.codec)
    table([measured_parts(codec, arguments.rounds) for codec in arguments.codec])


if __name__ == "__main__":
    main()
