"""The stories behind the plant's anomalies, as data: what was deployed, what broke, who noticed, what ended it.

One story leaves its traces everywhere: a deployment, minute metrics off their course, an alert, a ticket, an
incident, a rollback, and a postmortem in two languages.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from packs.plant.world.scripts import SCRIPTS, Script
from packs.plant.world.spec import DAY_S, PlantSpec
from packs.plant.world.vocabulary import CALLS

ALERT_AFTER_S, TICKET_AFTER_S, INCIDENT_AFTER_S = 6 * 60, 12 * 60, 18 * 60
ROLLBACK_BEFORE_END_S = 5 * 60
CLEARED_AFTER_END_S, CLOSED_AFTER_END_S, RESOLVED_AFTER_END_S = 10 * 60, 45 * 60, 70 * 60
CALLERS_LATENCY = 1.6
"""By how much the services that call the broken one slow down."""


@dataclass(frozen=True, slots=True)
class Story:
    """One script on the plant's calendar. Moments are Unix seconds."""

    script: Script
    begins_at: int

    @property
    def id(self) -> str:
        return self.script.id

    @property
    def ends_at(self) -> int:
        """When the metrics are back to normal."""
        return self.begins_at + self.script.lasts_min * 60

    @property
    def deployed_at(self) -> int | None:
        """When the change that caused it went out; None if no deployment did."""
        before = self.script.deployed_before_min
        return None if before is None else self.begins_at - before * 60

    @property
    def rolled_back_at(self) -> int | None:
        """When the earlier version was deployed again."""
        return None if self.deployed_at is None else self.ends_at - ROLLBACK_BEFORE_END_S

    @property
    def alert_at(self) -> int:
        return self.begins_at + ALERT_AFTER_S

    @property
    def ticket_at(self) -> int:
        return self.begins_at + TICKET_AFTER_S

    @property
    def opened_at(self) -> int:
        """When the incident was opened."""
        return self.begins_at + INCIDENT_AFTER_S

    @property
    def cleared_at(self) -> int:
        return self.ends_at + CLEARED_AFTER_END_S

    @property
    def closed_at(self) -> int:
        """When the incident was closed."""
        return self.ends_at + CLOSED_AFTER_END_S

    @property
    def resolved_at(self) -> int:
        """When the ticket was resolved."""
        return self.ends_at + RESOLVED_AFTER_END_S

    def factors(self, service: str) -> Mapping[str, float]:
        """What it does to the metrics of a service while it lasts, by metric; nothing for those not concerned."""
        if service == self.script.service:
            return self.script.factors
        if self.script.service in CALLS[self.script.tenant].get(service, ()):
            return {"latency_p95_ms": CALLERS_LATENCY}
        return {}


def stories_of(spec: PlantSpec) -> tuple[Story, ...]:
    """All stories, the latest first, in both tenants. They depend on the day only, not on seed or size."""
    stories = [
        Story(script, spec.end - script.days_ago * DAY_S + script.begins_min * 60) for script in SCRIPTS
    ]
    return tuple(sorted(stories, key=lambda story: -story.begins_at))
