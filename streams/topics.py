"""Every topic of the road, declared once: name, what it carries, its key, partitions and how long it is kept."""

from dataclasses import dataclass
from typing import Literal, get_args

from schemas.answers import AnswerComposed
from schemas.assets import AssetChanged
from schemas.calls import DeadlinePassed, ToolCalled, ToolFailed, ToolSucceeded
from schemas.deadletters import DeadLetter
from schemas.health import ToolHealth
from schemas.plans import PlanFailed, PlanMade, ReplanRequested
from schemas.questions import QuestionAsked
from schemas.telemetry import MetricPoint, SpanEnded
from streams.settings import Role, Settings

Kind = Literal["sql", "http", "graph", "document", "llm", "timeseries", "mcp"]
KINDS: tuple[Kind, ...] = get_args(Kind)

HOUR_MS = 3_600_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as it must exist on the cluster."""

    name: str
    events: tuple[type, ...]
    key: str
    partitions: int
    cleanup: Literal["delete", "compact"]
    retention_ms: int
    max_message_bytes: int = 4 * 1024 * 1024
    """A bad event must be able to reach its dead letter: questions of any size up to this are read and judged."""
    roll_ms: int | None = None
    """Begin a new segment this often: the last one is never compacted, and a busy topic must stay small."""

    @property
    def config(self) -> dict[str, str]:
        """The topic's configuration in Kafka's names."""
        config = {"cleanup.policy": self.cleanup, "max.message.bytes": str(self.max_message_bytes)}
        if self.cleanup == "delete":
            config["retention.ms"] = str(self.retention_ms)
        if self.roll_ms is not None:
            config["segment.ms"] = str(self.roll_ms)
        return config


@dataclass(frozen=True, slots=True)
class Topics:
    """The road's topics under one prefix."""

    prefix: str = ""
    partitions: int = 4

    @classmethod
    def of(cls, settings: Settings) -> "Topics":
        return cls(settings.topic_prefix, settings.partitions)

    @property
    def questions(self) -> str:
        return f"{self.prefix}ops.questions"

    @property
    def aggregation(self) -> str:
        return f"{self.prefix}ops.aggregation"

    @property
    def answers(self) -> str:
        return f"{self.prefix}ops.answers"

    @property
    def replans(self) -> str:
        return f"{self.prefix}ops.replans"

    @property
    def telemetry(self) -> str:
        return f"{self.prefix}ops.telemetry"

    @property
    def assets(self) -> str:
        return f"{self.prefix}ops.assets"

    @property
    def tool_health(self) -> str:
        return f"{self.prefix}ops.tool-health"

    @property
    def gates(self) -> str:
        return f"{self.prefix}ops.gates"

    @property
    def dead_letters(self) -> str:
        return f"{self.prefix}ops.dead-letters"

    def tool_calls(self, kind: str) -> str:
        """The topic of one kind of tool."""
        return f"{self.prefix}ops.tool-calls.{kind}"

    def group(self, role: Role) -> str:
        """The consumer group of a role: workers of one role share its partitions."""
        return f"{self.prefix}opsloom-{role}"

    def all(self) -> tuple[TopicSpec, ...]:
        """Every topic, in the order in which they are created."""
        joined = (PlanMade, PlanFailed, ToolSucceeded, ToolFailed, DeadlinePassed)
        n = self.partitions
        return (
            TopicSpec(self.questions, (QuestionAsked,), "the producer's, or none", n, "delete", 7 * DAY_MS),
            TopicSpec(self.aggregation, joined, "trace_id", n, "delete", 2 * DAY_MS),
            *(
                TopicSpec(self.tool_calls(kind), (ToolCalled,), "tool_id", n, "delete", 2 * DAY_MS)
                for kind in KINDS
            ),
            TopicSpec(self.replans, (ReplanRequested,), "trace_id", n, "delete", 2 * DAY_MS),
            TopicSpec(self.answers, (AnswerComposed,), "trace_id", n, "delete", 7 * DAY_MS),
            TopicSpec(self.telemetry, (SpanEnded, MetricPoint), "trace_id", n, "delete", DAY_MS),
            TopicSpec(self.assets, (AssetChanged,), "kind/asset_id@version", 1, "compact", 0),
            TopicSpec(self.tool_health, (ToolHealth,), "tool_id", 1, "compact", 0, roll_ms=HOUR_MS),
            TopicSpec(self.gates, (), "tool_id", n, "compact", 0, roll_ms=HOUR_MS),
            TopicSpec(self.dead_letters, (DeadLetter,), "original key", n, "delete", 30 * DAY_MS),
        )
