"""The plant's values: always the same, consistent with one another, and true to its stories."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache

import numpy as np
import pytest

from packs.plant.world import vocabulary
from packs.plant.world.spec import DAY_S, METRIC_DAYS, PlantSpec, size_of
from packs.plant.world.stories import Story
from packs.plant.world.table import NO_TIME, SCHEMA, Table
from packs.plant.world.vocabulary import CANARIES, TENANTS
from packs.plant.world.world import World

SPEC = PlantSpec(date(2026, 11, 21))


@cache
def world() -> World:
    return World(SPEC)


@cache
def tables() -> dict[str, Table]:
    return {table.name: table for table in world().tables()}


@cache
def column(table: str, name: str) -> np.ndarray:
    return np.asarray(tables()[table].columns[name])


def digest(made: World) -> str:
    found = hashlib.sha256()
    for table in made.tables():
        for name in SCHEMA[table.name]:
            found.update(repr(list(table.columns[name][:300])).encode())
    found.update(repr(made.landscape).encode())
    found.update(repr(made.papers).encode())
    return found.hexdigest()


def test_the_same_spec_gives_the_same_values_and_another_seed_others() -> None:
    """Tables, graph and documents; whichever part was asked for first."""
    first, again, other = World(SPEC), World(SPEC), World(PlantSpec(SPEC.as_of, seed=8))
    assert again.papers
    assert digest(first) == digest(again)
    assert digest(first) != digest(other)


@pytest.mark.parametrize("name", sorted(set(SCHEMA) - {"metrics_minute"}))
def test_no_record_is_later_than_the_last_full_day(name: str) -> None:
    """The day before `as_of` is the last one with records, and there are records on it or before."""
    for moment, kind in SCHEMA[name].items():
        if kind in ("time", "day"):
            assert column(name, moment).max() < SPEC.end


def test_the_last_full_day_has_metrics() -> None:
    """Daily values end with the day before; minutes go on through the day `as_of` itself."""
    assert column("metrics_daily", "day").max() == SPEC.end - DAY_S
    assert column("metrics_minute", "at").max() == SPEC.end + DAY_S - 60


def test_a_daily_value_is_the_mean_of_its_minutes() -> None:
    """As far as minutes are kept; tried on a series of each metric in each tenant."""
    daily = {
        key: value
        for *key_parts, value in zip(
            *(column("metrics_daily", name) for name in ("tenant_id", "metric", "service", "day", "value")),
            strict=True,
        )
        if (key := tuple(key_parts))[3] == SPEC.end - DAY_S
    }
    for tenant in TENANTS:
        for metric in vocabulary.METRICS:
            minutes = world().series.minutes(tenant, "checkout", metric)[METRIC_DAYS - 1]
            assert len(minutes) == 1_440
            assert daily[tenant, metric, "checkout", SPEC.end - DAY_S] == pytest.approx(
                minutes.mean(), abs=0.0006
            )


def test_the_minutes_kept_are_those_of_the_series() -> None:
    """The last full day and the day `as_of`, minute by minute."""
    table = tables()["metrics_minute"]
    first = next(
        at for at, key in enumerate(zip(table.columns["tenant_id"], table.columns["series"], strict=True))
        if key == ("globex", "ledger")
    )  # fmt: skip
    metric = table.columns["metric"][first]
    kept = world().series.minutes("globex", "ledger", metric)[METRIC_DAYS - 1 :].reshape(-1)
    assert np.array_equal(table.columns["value"][first : first + 2 * 1_440], kept)
    assert table.columns["at"][first] == SPEC.end - DAY_S


@pytest.mark.parametrize("story", world().stories, ids=lambda story: story.id)
def test_a_story_leaves_its_traces_everywhere(story: Story) -> None:
    """Metrics, deployment and rollback, alert, ticket, incident, postmortems."""
    script = story.script
    begins = (story.begins_at - world().series.first_day) // 60
    for metric, factor in script.factors.items():
        values = world().series.minutes(script.tenant, script.service, metric).reshape(-1)
        during = values[begins : begins + script.lasts_min].mean()
        before = values[begins - 60 : begins].mean()
        assert (during > before * 1.25) if factor > 1 else (during < before * 0.9), metric
    own = [each for each in world().deployments if each.story == story.id]
    if story.deployed_at is None:
        assert own == []
    else:
        broken, rollback = own
        assert (broken.outcome, rollback.outcome) == ("rolled_back", "success")
        assert broken.deployed_at < story.begins_at < rollback.deployed_at < story.ends_at
        assert broken.version != rollback.version
    incident = next(each for each in world().incidents if each.story == story.id)
    assert (incident.root_cause, incident.severity) == (script.cause[0], script.severity)
    assert np.any(
        (column("alerts", "fired_at") == story.alert_at) & (column("alerts", "rule") == script.rule)
    )
    assert np.any(
        (column("tickets", "created_at") == story.ticket_at) & (column("tickets", "title") == script.ticket)
    )
    papers = [paper for paper in world().papers if paper.document_id.startswith(story.id)]
    assert {paper.language for paper in papers} == {"en", "ko"}
    assert script.cause[0] in papers[0].text


def test_the_causes_come_in_order() -> None:
    """Deployment, trouble, alert, ticket, incident, rollback, end, closed, resolved."""
    for story in world().stories:
        moments = (story.begins_at, story.alert_at, story.ticket_at, story.opened_at, story.ends_at)
        assert list(moments) == sorted(moments)
        assert story.ends_at < story.cleared_at < story.closed_at < story.resolved_at < SPEC.end


def test_rows_belong_together_within_a_tenant() -> None:
    """An alert's host, a team's parent and an edge's end are of the same tenant."""
    host_tenant = dict(zip(column("hosts", "id"), column("hosts", "tenant_id"), strict=True))
    assert all(
        host_tenant[host] == tenant
        for host, tenant in zip(column("alerts", "host_id"), column("alerts", "tenant_id"), strict=True)
    )
    team_tenant = dict(zip(column("teams", "id"), column("teams", "tenant_id"), strict=True))
    for parent, tenant in zip(column("teams", "parent_id"), column("teams", "tenant_id"), strict=True):
        assert parent is None or team_tenant[parent] == tenant
    for edge in world().landscape.edges:
        assert edge.source.partition("/")[0] == edge.target.partition("/")[0]


def test_times_of_a_row_are_in_order() -> None:
    """Nothing is resolved, closed, cleared, revoked or changed before it began."""
    pairs = (
        ("tickets", "created_at", "resolved_at"), ("tickets", "created_at", "updated_at"),
        ("incidents", "opened_at", "closed_at"), ("alerts", "fired_at", "cleared_at"),
        ("grants_history", "granted_at", "revoked_at"), ("orders", "created_at", "updated_at"),
    )  # fmt: skip
    for table, begins, ends in pairs:
        first, last = column(table, begins), column(table, ends)
        assert np.all((last == NO_TIME) | (last >= first)), table


@pytest.mark.parametrize(
    ("table", "name", "allowed"),
    [
        ("tickets", "status", vocabulary.TICKET_STATUSES),
        ("tickets", "priority", vocabulary.PRIORITIES),
        ("tickets", "queue", vocabulary.QUEUES),
        ("incidents", "severity", vocabulary.SEVERITIES),
        ("deployments", "outcome", vocabulary.OUTCOMES),
        ("alerts", "state", vocabulary.ALERT_STATES),
        ("orders", "status", vocabulary.ORDER_STATUSES),
        ("orders", "currency", vocabulary.CURRENCIES),
        ("hosts", "region", vocabulary.REGIONS),
        ("hosts", "role", vocabulary.ROLES),
    ],
)
def test_every_choice_occurs_in_both_tenants_and_no_other(
    table: str, name: str, allowed: tuple[str, ...]
) -> None:
    """What may be asked for is there to be found."""
    for tenant in TENANTS:
        assert set(column(table, name)[column(table, "tenant_id") == tenant]) == set(allowed)


def test_a_canary_stands_in_its_own_tenant_only() -> None:
    """Tickets, the change log and documents carry their tenant's, and never the other's."""
    texts = dict.fromkeys(TENANTS, "")
    for table, name in (("tickets", "body"), ("change_log", "note")):
        for tenant, text in zip(column(table, "tenant_id"), column(table, name), strict=True):
            texts[tenant] += f"{text}\n"
    for paper in world().papers:
        assert CANARIES[paper.tenant] in paper.text
        texts[paper.tenant] += paper.text
    assert CANARIES["globex"] in texts["globex"]
    assert CANARIES["globex"] not in texts["acme"]
    assert CANARIES["acme"] not in texts["globex"]


def test_both_tenants_share_names_and_differ_in_values() -> None:
    """`db-1` and `checkout` are everywhere, with figures of their own."""
    hosts = {(host.tenant, host.hostname): host for host in world().hosts}
    assert hosts["acme", "db-1"] != hosts["globex", "db-1"]
    mine, theirs = (world().series.minutes(tenant, "checkout", "latency_p95_ms") for tenant in TENANTS)
    assert not np.allclose(mine, theirs)
    assert mine.shape == (METRIC_DAYS + 1, 1_440)


def test_a_larger_plant_holds_more_days_and_rows() -> None:
    """The size is shared between minutes and records."""
    small, large = SPEC, PlantSpec(SPEC.as_of, size_bytes=size_of("200MB"))
    assert large.minute_days > small.minute_days
    assert large.rows("tickets") > 4 * small.rows("tickets")


@pytest.mark.parametrize(
    ("text", "size"), [("100MB", 100_000_000), ("0.5g", 500_000_000), ("40000000", 40_000_000)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    """With and without a unit, in either case."""
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "large", "-1MB", "1KB", "900GB", "100 MB or so"])
def test_what_is_no_size_is_refused_in_words(text: str) -> None:
    """Also what is far too small or too large."""
    with pytest.raises(ValueError, match=r"size|small"):
        size_of(text)
