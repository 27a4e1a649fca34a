"""The registry: what is published is found, what is not is not, and nothing ever changes under a reader."""

from pathlib import Path

import pytest

from registry.assets import ComboAsset, PolicyAsset, SourceAsset, TemplateAsset, ToolAsset
from registry.decisions import RegistryError
from registry.defaults import timeout_of
from registry.pack import Pack
from registry.registry import Registry
from schemas.errors import ErrorCode
from schemas.questions import Mode


def tool(tool_id: str, **fields: object) -> ToolAsset:
    fields = {"tool_type": "direct_query", "kind": "sql", **fields}
    return ToolAsset(id=tool_id, name=tool_id, **fields)


def template(template_id: str, tool_id: str, mode: Mode = Mode.CONFIG, **fields: object) -> TemplateAsset:
    return TemplateAsset(
        id=template_id, title=template_id, tool=tool_id, mode=mode, examples=("x",), **fields
    )


def policy(policy_id: str, **fields: object) -> PolicyAsset:
    limits = {"timeout_s": 5, "retries": 0, "calls_per_minute": 10, "calls_per_second": 1, "max_rows": 10}
    return PolicyAsset(id=policy_id, **{"policy_set": "SQL", **limits, **fields})


def pack(pack_id: str = "p", **groups: object) -> Pack:
    return Pack(id=pack_id, title=pack_id, folder=Path("."), **groups)


def test_each_kind_of_tool_finds_its_policy_set() -> None:
    """The four sets with their figures."""
    registry = Registry.of(
        pack(
            tools=(
                tool("sql"),
                tool("http", kind="http", tool_type="http_tool"),
                tool("graph", kind="graph", tool_type="graph_query"),
                tool("document", kind="document", tool_type="document_search"),
            )
        )
    )

    limits = {}
    for tool_id, found in registry.tools.items():
        chosen = registry.policy_for(found)
        assert chosen is not None
        limits[tool_id] = (
            chosen.policy_set,
            chosen.timeout_s,
            chosen.retries,
            chosen.calls_per_minute,
            chosen.max_rows,
        )
    assert limits == {
        "sql": ("SQL", 60, 1, 100, 5_000),
        "http": ("HTTP", 30, 2, 50, 10_000),
        "graph": ("GRAPH", 45, 1, 100, 10_000),
        "document": ("DEFAULT", 30, 2, 100, 10_000),
    }


def test_without_any_policy_there_is_none_which_means_refuse() -> None:
    """Fail closed: None, not a lenient default."""
    registry = Registry.of(pack(tools=(tool("sql"),)), default_policies=())

    assert registry.policy_for(registry.tools["sql"]) is None


def test_a_packs_policy_limits_its_own_tools_only() -> None:
    """One pack can neither loosen nor tighten another's limits."""
    strict = pack("strict", tools=(tool("a"),), policies=(policy("own"),))
    registry = Registry.of(strict, pack("other", tools=(tool("b"),)))

    assert registry.policy_for(registry.tools["a"]).id == "own"
    assert registry.policy_for(registry.tools["b"]).id == "policy.sql"


def test_a_deleted_default_policy_closes_the_tools_of_its_set() -> None:
    """What is not published does not hold, and without a policy a tool is refused."""
    registry = Registry.of(pack(tools=(tool("a"),)))
    default = registry.policy_for(registry.tools["a"])

    closed = registry.register(default.model_copy(update={"version": 2, "status": "deleted"}))

    assert closed.policy_for(closed.tools["a"]) is None
    assert registry.policy_for(registry.tools["a"]) is default


def test_an_http_tool_may_raise_its_timeout_to_sixty_seconds_and_no_more() -> None:
    """The policy says 30; the tool's own word counts up to 60."""
    registry = Registry.of(
        pack(
            tools=(
                tool("plain", kind="http", tool_type="x"),
                tool("raised", kind="http", tool_type="x", timeout_seconds=50),
                tool("greedy", kind="http", tool_type="x", timeout_seconds=500),
                tool("sql", timeout_seconds=500),
            )
        )
    )

    waits = {
        tool_id: timeout_of(found, registry.policy_for(found)) for tool_id, found in registry.tools.items()
    }
    assert waits == {"plain": 30, "raised": 50, "greedy": 60, "sql": 60}


def test_templates_are_those_of_tenant_and_mode() -> None:
    """A template is as open as its tool."""
    registry = Registry.of(
        pack(
            tools=(tool("all"), tool("north", supported_tenants=("north",)), tool("draft", status="draft")),
            templates=(
                template("b", "all"),
                template("a", "all", Mode.METRIC),
                template("n", "north"),
                template("d", "draft"),
                template("gone", "all", status="deleted"),
            ),
            combos=(
                ComboAsset(id="ab", title="ab", examples=("x",), templates=("a", "b")),
                ComboAsset(id="an", title="an", examples=("x",), templates=("a", "n")),
            ),
        )
    )

    assert [each.id for each in registry.templates("north")] == ["a", "b", "n"]
    assert [each.id for each in registry.templates("elsewhere")] == ["a", "b"]
    assert [each.id for each in registry.templates("elsewhere", Mode.METRIC)] == ["a"]
    assert [each.id for each in registry.combos("elsewhere")] == ["ab"]
    assert registry.template("d") is None
    assert registry.tool("draft") is None
    assert (
        registry.tenant_group("elsewhere")
        == registry.tenant_group("anyone")
        != registry.tenant_group("north")
    )


def test_registering_makes_a_new_registry_and_leaves_the_old_one_alone() -> None:
    """A reader's snapshot never changes."""
    before = Registry.of(pack(tools=(tool("a"),)))

    after = before.register(tool("b")).register(tool("a", version=2, status="deleted"))

    assert sorted(before.tools) == ["a"]
    assert sorted(after.tools) == ["b"]


def test_a_published_version_never_changes() -> None:
    """Other contents need a later version; the same again is no change."""
    registry = Registry.of(pack(tools=(tool("a", version=3),)))

    assert sorted(registry.register(registry.tools["a"]).tools) == ["a"]
    with pytest.raises(RegistryError, match="a is at version 3 already"):
        registry.register(tool("a", version=3, cost_ms=1.0))
    with pytest.raises(RegistryError, match="Raise the version"):
        registry.register(tool("a", version=2))


def test_two_packs_may_not_claim_one_id() -> None:
    """And one pack may not be loaded twice."""
    with pytest.raises(RegistryError, match="a is declared by one and by two"):
        Registry.of(pack("one", tools=(tool("a"),)), pack("two", tools=(tool("a"),)))
    with pytest.raises(RegistryError):
        Registry.of(pack("one", tools=(tool("a"),)), pack("one", tools=(tool("a"),)))


def test_what_was_never_declared_cannot_be_referred_to() -> None:
    """A mistake in the assets, not a state to live with."""
    with pytest.raises(RegistryError, match="unknown source nowhere"):
        Registry.of(pack(tools=(tool("a", source="nowhere"),)))
    with pytest.raises(RegistryError, match="unknown tool b"):
        Registry.of(pack(tools=(tool("a"),))).register(template("t", "b"))


def test_sources_are_found_by_id() -> None:
    """Published ones only."""
    source = SourceAsset(id="s", engine="sqlite", location="x")
    registry = Registry.of(pack(sources=(source, source.model_copy(update={"id": "d", "status": "draft"}))))

    assert registry.source("s") == source
    assert registry.source("d") is None


def test_capability_calls_answer_with_reasons() -> None:
    """The calls of the capability registry."""
    registry = Registry.of(
        pack(
            tools=(
                tool("slow", cost_ms=500, fallback_tool_id="fast"),
                tool("fast", cost_ms=50, supported_tenants=("north",)),
                tool("alone", tool_type="llm_tool", kind="llm"),
                tool("needy", depends_on=("slow",), fallback_enabled=False),
            )
        )
    )

    assert registry.get("slow").max_concurrent_calls == 20
    assert registry.get("nobody") is None
    assert [each.tool_id for each in registry.get_by_type("read_write")] == ["alone"]
    assert [each.tool_id for each in registry.get_parallelizable()] == ["fast", "needy", "slow"]
    assert registry.can_execute_in_parallel(["slow", "fast"])
    assert registry.can_execute_in_parallel(["alone"])
    assert registry.can_execute_in_parallel(["slow", "alone"]).reason == "tool alone is serial and runs alone"
    assert registry.can_execute_in_parallel(["slow", "needy"]).reason == "tool needy depends on slow"
    assert not registry.can_execute_in_parallel(["slow", "nobody"])
    assert registry.validate_tenant_access("fast", "north")
    assert registry.validate_tenant_access("fast", "south").code is ErrorCode.TENANT_MISMATCH
    assert registry.can_fallback("slow")
    assert not registry.can_fallback("fast")
    assert not registry.can_fallback("needy")
    assert registry.check_dependencies("needy")
    assert not registry.check_dependencies("nobody")
    names = [each.tool_id for each in registry.get_tools_for_capability("direct_query", "south")]
    assert names == ["needy", "slow"]
    assert registry.recommend_tool("direct_query", "north").tool_id == "fast"
    assert registry.recommend_tool("direct_query", "south").tool_id == "needy"
    assert not registry.recommend_tool("time_series", "north")


def test_missing_and_circular_dependencies_are_refused_with_the_path() -> None:
    """An unpublished tool cannot be depended on, and a circle is printed."""
    circle = Registry.of(pack(tools=(tool("a", depends_on=("b",)), tool("b", depends_on=("a",)))))
    missing = Registry.of(pack(tools=(tool("a", depends_on=("b",)), tool("b", status="draft"))))

    assert "a → b → a" in circle.check_dependencies("a").reason
    assert "depends on b" in missing.check_dependencies("a").reason
