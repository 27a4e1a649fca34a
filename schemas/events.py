"""All events by name: what a codec may meet on each topic."""

from schemas.answers import AnswerComposed
from schemas.assets import AssetChanged
from schemas.calls import DeadlinePassed, ToolCalled, ToolFailed, ToolSucceeded
from schemas.deadletters import DeadLetter
from schemas.health import ToolHealth
from schemas.plans import PlanFailed, PlanMade, ReplanRequested
from schemas.questions import QuestionAsked
from schemas.telemetry import MetricPoint, SpanEnded

AggregationEvent = PlanMade | PlanFailed | ToolSucceeded | ToolFailed | DeadlinePassed
"""What meets in `ops.aggregation`."""

TelemetryEvent = SpanEnded | MetricPoint

Event = (
    QuestionAsked
    | ToolCalled
    | AggregationEvent
    | ReplanRequested
    | AnswerComposed
    | TelemetryEvent
    | AssetChanged
    | DeadLetter
    | ToolHealth
)

EVENTS: dict[str, type[Event]] = {
    cls.__name__: cls
    for cls in (
        QuestionAsked,
        PlanMade,
        PlanFailed,
        ToolCalled,
        ToolSucceeded,
        ToolFailed,
        DeadlinePassed,
        ReplanRequested,
        AnswerComposed,
        SpanEnded,
        MetricPoint,
        AssetChanged,
        DeadLetter,
        ToolHealth,
    )
}
