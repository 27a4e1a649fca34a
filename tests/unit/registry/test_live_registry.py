"""The live registry: changes folded over the packs, and what is refused while the last good version stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.assets import PolicyAsset, SourceAsset, ToolAsset
from registry.live import LiveRegistry
from registry.pack import Pack
from registry.registry import Registry
from schemas.assets import AssetChanged

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = {"timeout_s": 5, "retries": 0, "calls_per_minute": 10, "calls_per_second": 1, "max_rows": 10}
PROBE = {"name": "probe", "tool_type": "probe", "kind": "mcp"}


def live(**variables: str) -> LiveRegistry:
    pack = Pack(
        id="p",
        title="p",
        folder=Path("."),
        tenants=("acme",),
        tools=(ToolAsset(id="probe", supported_tenants=("acme",), **PROBE),),  # type: ignore[arg-type]
        policies=(PolicyAsset(id="p.default", policy_set="DEFAULT", **LIMITS),),  # type: ignore[arg-type]
    )
    return LiveRegistry(Registry.of(pack), variables)


def change(
    kind: str, asset_id: str, version: int, body: dict[str, Any] | None = None, **fields: Any
) -> AssetChanged:
    given = {"status": "published", "changed_by": "ann", "changed_by_role": "admin", "reason": "r", **fields}
    return AssetChanged(
        asset_id=asset_id, kind=kind, version=version, body=body or {}, changed_at=MOMENT, **given
    )


def policy_of(registry: Registry) -> PolicyAsset:
    tool = registry.tool("probe")
    assert tool is not None
    found = registry.policy_for(tool)
    assert found is not None
    return found


def wider(version: int, **fields: Any) -> AssetChanged:
    body = {"policy_set": "DEFAULT", **LIMITS, "calls_per_minute": version * 100}
    return change("policy", "p.default", version, body, **fields)


def test_new_version_holds_and_the_snapshot_before_it_does_not_change() -> None:
    found = live()
    before = found.registry

    assert found.take([wider(2)]) == []

    assert policy_of(found.registry).calls_per_minute == 200
    assert policy_of(before).calls_per_minute == 10


def test_published_version_never_changes() -> None:
    """Said again it is nothing new; said otherwise it is refused; older than what holds, refused as well."""
    found = live()
    found.take([wider(3)])
    held = found.registry

    assert found.take([wider(3)]) == []
    other = change("policy", "p.default", 3, {"policy_set": "DEFAULT", **LIMITS})
    refused = found.take([other, wider(2), wider(1)])

    assert [each.change.version for each in refused] == [3, 2, 1]
    assert found.registry is held


def test_delete_hides_and_a_later_version_brings_back() -> None:
    """A tool that is deleted is not found, and the pack it came from is remembered."""
    found = live()
    found.take([change("tool", "probe", 2, status="deleted")])
    assert found.registry.tool("probe") is None

    found.take([change("tool", "probe", 3, PROBE)])

    tool = found.registry.tool("probe")
    assert tool is not None
    assert (tool.version, tool.supported_tenants) == (3, ("acme",))


def test_draft_takes_no_part_until_it_is_published() -> None:
    """And may be written over until then."""
    found = live()

    assert found.take([wider(2, status="draft"), wider(2, status="draft")]) == []
    assert policy_of(found.registry).calls_per_minute == 10
    assert found.take([wider(2)]) == []
    assert policy_of(found.registry).calls_per_minute == 200


def test_new_tool_of_a_pack_serves_the_packs_tenants() -> None:
    """Unless it names its own: never more than it would when its file lay in the pack."""
    found = live()

    found.take([change("tool", "other", 1, PROBE, pack_id="p"), change("tool", "shared", 1, PROBE)])

    assert found.registry.tools["other"].supported_tenants == ("acme",)
    assert found.registry.tools["shared"].supported_tenants is None


@pytest.mark.parametrize(
    "refused",
    [
        change("policy", "p.default", 2, {"policy_set": "DEFAULT"}),
        change("policy", "p.default", 2, {"policy_set": "DEFAULT", **LIMITS, "max_rows": 0}),
        change("policy", "second", 1, {"policy_set": "DEFAULT", **LIMITS}, pack_id="p"),
        change("policy", "p.default", 2, {**LIMITS, "policy_set": "DEFAULT", "version": 9}),
        change("tool", "new", 1, {**PROBE, "surprise": 1}),
        change("tool", "new", 1, {**PROBE, "fallback_tool_id": "nowhere"}),
        change("tool", "new", 1, {**PROBE, "depends_on": ["new"]}),
        change("tool", "new", 1, PROBE, pack_id="nowhere"),
        change("tool", "nowhere", 1, status="deleted"),
        change("source", "s", 1, {"engine": "sqlite", "location": "{somewhere}/x.db"}),
        change("template", "t", 1, {"title": "t", "tool": "nowhere", "mode": "all", "examples": ["x"]}),
        change("override", "o", 1, {"lifts": ["breaker"], "reason": "r"}),
    ],
    ids=lambda each: f"{each.kind} {each.asset_id} {sorted(each.body)[-1:]}",
)
def test_change_that_does_not_fit_is_refused_and_the_last_good_version_stays(refused: AssetChanged) -> None:
    found = live()
    held = found.registry

    assert [each.change for each in found.take([refused])] == [refused]

    assert found.registry is held


@pytest.mark.parametrize(
    ("kind", "status", "role", "allowed"),
    [
        ("tool", "published", "manager", True),
        ("tool", "published", "developer", False),
        ("tool", "draft", "developer", True),
        ("tool", "draft", "viewer", False),
        ("policy", "published", "manager", False),
        ("policy", "published", "admin", True),
        ("policy", "published", "", True),
        ("override", "published", "", False),
        ("override", "published", "manager", False),
        ("override", "published", "admin", True),
    ],
)
def test_author_is_held_to_the_role_it_names(kind: str, status: str, role: str, allowed: bool) -> None:
    """A change without a role comes from whoever may write the topic; an override always names it."""
    expires_at = (MOMENT + timedelta(days=1)).isoformat()
    body = {
        "tool": PROBE,
        "policy": {"policy_set": "DEFAULT", **LIMITS},
        "override": {"lifts": ["breaker"], "reason": "r", "expires_at": expires_at},
    }[kind]
    asset_id = {"tool": "probe", "policy": "p.default", "override": "o"}[kind]
    found = live()

    refused = found.take([change(kind, asset_id, 2, body, status=status, changed_by_role=role)])

    assert (not refused) is allowed


def test_only_an_administrator_restores_what_was_deleted() -> None:
    found = live()
    found.take([change("tool", "probe", 2, status="deleted")])

    assert found.take([change("tool", "probe", 3, PROBE, changed_by_role="manager")])
    assert not found.take([change("tool", "probe", 4, PROBE, changed_by_role="admin")])


@given(st.permutations(range(3)))
def test_changes_that_need_one_another_fit_in_any_order(order: list[int]) -> None:
    """What names a source that comes later is refused, and taken when it is there."""
    tool = {"name": "q", "tool_type": "direct_query", "kind": "sql", "source": "store"}
    template = {
        "title": "t",
        "tool": "query",
        "mode": "all",
        "examples": ["x"],
        "statement": "SELECT 1 AS n",
    }
    source = {"engine": "sqlite", "location": "{data}/x.db", "tables": {"t": ["n"]}}
    changes = [
        change("source", "store", 1, source),
        change("tool", "query", 1, tool),
        change("template", "ask", 1, template),
    ]
    found = live(data="/srv")

    found.take([changes[n] for n in order])

    assert found.registry.template("ask") is not None
    held = found.registry.source("store")
    assert isinstance(held, SourceAsset)
    assert held.location == "/srv/x.db"


def test_override_holds_for_its_tool_and_tenant_until_it_expires() -> None:
    found = live()
    body = {
        "lifts": ["rate_limit"],
        "tool": "probe",
        "tenant": "acme",
        "reason": "month end",
        "expires_at": (MOMENT + timedelta(hours=1)).isoformat(),
    }
    found.take([change("override", "o", 1, body)])
    overrides, now = found.registry.overrides, MOMENT.timestamp()

    lifting = overrides.of("rate_limit", "probe", "acme", now)
    assert lifting is not None
    assert lifting.name == "o@1"
    assert overrides.of("breaker", "probe", "acme", now) is None
    assert overrides.of("rate_limit", "probe", "globex", now) is None
    assert overrides.of("rate_limit", "other", "acme", now) is None
    assert overrides.of("rate_limit", "probe", "acme", now + 3_600) is None
    found.take([change("override", "o", 2, status="deleted")])
    assert not found.registry.overrides


def test_guard_is_lifted_for_one_statement_of_one_tool_only() -> None:
    expires_at = (MOMENT + timedelta(hours=1)).isoformat()
    broad = {"lifts": ["guard"], "reason": "r", "expires_at": expires_at}
    narrow = {**broad, "tool": "probe", "statement": "SELECT 1"}
    found = live()

    assert found.take([change("override", "o", 1, broad)])
    assert not found.take([change("override", "o", 1, narrow)])

    now = MOMENT.timestamp()
    assert found.registry.overrides.for_statement("SELECT 1", "probe", "acme", now)
    assert not found.registry.overrides.for_statement("SELECT 2", "probe", "acme", now)
