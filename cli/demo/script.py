"""What the demo asks: questions as a person would put them, and what must be true of the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cli.demo import truths
from cli.demo.truths import Truth
from schemas.answers import AnswerComposed

Kind = Literal["config", "metric", "history", "graph", "document", "several"]


@dataclass(frozen=True, slots=True)
class Line:
    """One question; `check` compares the answer's figures with what the system itself says now."""

    kind: Kind
    question: str
    check: Callable[[AnswerComposed], Truth]


SCRIPT: tuple[Line, ...] = (
    Line("config", "what kind of machine is this?", truths.machine),
    Line("config", "how much memory does this machine have?", truths.memory),
    Line("config", "how full are the disks?", truths.disks),
    Line("metric", "how busy is the CPU right now?", truths.cpu),
    Line("metric", "what is the load at the moment?", truths.load),
    Line("metric", "how did the memory usage develop in the last hour?", truths.memory_series),
    Line("history", "which version of aiokafka is installed?", truths.version_of("aiokafka")),
    Line("history", "how many packages are installed here?", truths.package_count),
    Line("history", "what was installed recently?", truths.recent_changes),
    Line("graph", "what does faust-streaming depend on?", truths.dependencies_of("faust-streaming")),
    Line("graph", "which packages need aiohttp?", truths.dependents_of("aiohttp")),
    Line("document", "what should I do when dead letters pile up?", truths.runbook),
    Line("several", "is this machine healthy?", truths.health),
)

HANGING_DEADLINE_S = 3.0
HANGING_QUESTION = "how much memory is there, and what does the slow probe say?"
HANGING_PLAN: Mapping[str, Any] = {
    "steps": [
        {"step_id": "memory", "tool_id": "host_config", "params": {"template": "host_memory", "args": {}}},
        {"step_id": "probe", "tool_id": "slow_probe", "params": {"template": "ask_slow_probe", "args": {}}},
    ]
}
"""A producer's own plan: one quick tool of this machine, and one that sleeps for a minute."""
