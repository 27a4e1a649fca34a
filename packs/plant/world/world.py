"""The plant as a whole: everything that follows from its seed, size and day."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from packs.plant.world.changes import (
    Deployment,
    Incident,
    deployments_of,
    deployments_table,
    incidents_of,
    incidents_table,
)
from packs.plant.world.landscape import Landscape, landscape_of
from packs.plant.world.ledgers import alerts_table, change_log_table, grants_table, orders_table
from packs.plant.world.papers import Paper, papers_of
from packs.plant.world.places import Host, hosts_of, hosts_table, placements, teams_table
from packs.plant.world.series import Series
from packs.plant.world.spec import PlantSpec
from packs.plant.world.stories import Story, stories_of
from packs.plant.world.table import Table
from packs.plant.world.tickets import tickets_table
from packs.plant.world.vocabulary import Tenant


class World:
    """Values only; each part is computed when it is first asked for, and does not depend on which came first."""

    def __init__(self, spec: PlantSpec) -> None:
        self.spec = spec

    @cached_property
    def stories(self) -> tuple[Story, ...]:
        return stories_of(self.spec)

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        return hosts_of(self.spec)

    @cached_property
    def placed(self) -> Mapping[tuple[Tenant, str], tuple[Host, ...]]:
        """Tenant and service → the hosts it runs on."""
        return placements(self.spec, self.hosts)

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        return deployments_of(self.spec, self.stories)

    @cached_property
    def incidents(self) -> tuple[Incident, ...]:
        return incidents_of(self.spec, self.stories)

    @cached_property
    def series(self) -> Series:
        return Series(self.spec, self.stories)

    @cached_property
    def landscape(self) -> Landscape:
        return landscape_of(self.hosts, self.placed)

    @cached_property
    def papers(self) -> tuple[Paper, ...]:
        return papers_of(self.spec, self.stories, self.placed)

    def tables(self) -> Iterator[Table]:
        """Every table once, one after the other, so that none has to be kept."""
        yield teams_table()
        yield hosts_table(self.hosts)
        yield deployments_table(self.deployments)
        yield incidents_table(self.incidents)
        yield tickets_table(self.spec, self.stories)
        yield alerts_table(self.spec, self.hosts, self.stories, self.placed)
        yield orders_table(self.spec)
        yield grants_table(self.spec)
        yield change_log_table(self.spec)
        yield from self.series.tables
