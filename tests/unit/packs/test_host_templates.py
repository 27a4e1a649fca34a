"""Every question of the host pack can be asked of the real stores, and its answer reads well."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.aggregation.wording import success_text
from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from agents.planning.templates import render_of
from packs.host.collect.samples import TABLE, Sampler
from packs.host.collector import prepare
from registry.assets import TemplateAsset
from registry.pack import Pack
from registry.packs import load_pack
from registry.registry import Registry
from registry.statements import argument_names
from schemas.calls import ToolCalled, ToolOutput, ToolSucceeded, Unit
from schemas.plans import Step
from schemas.questions import Mode
from sinks.client import connect, insert
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.migrate import migrate

pytest.importorskip("ladybug")
pytest.importorskip("chdb")

FOLDER = Path(__file__).parents[3] / "packs" / "host"
PACK = load_pack(FOLDER, {"data": "DATA", "clickhouse": "http://127.0.0.1:1"})
TEMPLATES = {template.id: template for template in PACK.templates}
TOOLS = {tool.id: tool for tool in PACK.tools}
HOLE = re.compile(r"\{([^{}|]+)(?:\|[^{}]*)?\}")
HANGUL = re.compile(r"[가-힣]")

ALWAYS = [
    "host_overview", "host_os", "host_cpu", "host_memory", "host_disks", "host_disk_of", "host_addresses",
    "host_interfaces", "host_uptime", "host_python", "host_time_zone", "host_processes_by_memory",
    "host_processes_by_cpu", "host_process_count", "host_processes_by_user", "host_process_names",
    "host_process_of", "host_limits", "host_environment", "vitals_now", "load_now", "cpu_now", "memory_now",
    "traffic_now", "load_series", "cpu_series", "memory_series", "swap_series", "disk_write_series",
    "net_sent_series", "process_count_series", "load_peaks", "cpu_peaks", "memory_peaks",
    "largest_processes", "disk_fill", "recent_changes", "boots", "package_names", "python_packages",
    "package_count", "package_version", "package_history", "python_package_names", "most_needed",
    "top_level_packages", "process_tree", "ask_documents", "ask_runbook", "package_purpose", "runbook_slow",
    "runbook_disk",
]  # fmt: skip
"""Questions that have an answer wherever opsloom runs."""

SEARCHES = {
    "ask_documents": "asyncio client",
    "ask_runbook": "redrive dead letters",
    "package_readme": "aiohttp",
}

Ask = Callable[[str, dict[str, Any]], Awaitable[ToolOutput]]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data")
    report = asyncio.run(prepare(path, time.time()))
    assert report.failed == ()
    return path


@pytest.fixture(scope="module")
def pack(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """The pack over its real stores; the samples are some real readings of this machine."""
    with EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse")) as engine:
        client = connect(engine.url, "opsloom", wait_s=20)
        migrate(client, "opsloom", folders=[FOLDER / "clickhouse"])
        sampler, now = Sampler(slow_every_s=1.0), time.time()
        for age_s in (3.0, 2.0, 1.0, 0.0):
            insert(client, TABLE, [sample.row() for sample in sampler.sample(now - age_s)])
        client.close()
        yield load_pack(FOLDER, {"data": str(data_dir), "clickhouse": engine.url})


@pytest.fixture
def ask(pack: Pack) -> Ask:
    """Ask a template through the one guarded path."""
    registry = Registry.of(pack)

    async def asked(template_id: str, args: dict[str, Any]) -> ToolOutput:
        execution = Execution(registry, build_tools(registry))
        tool, now = registry.tool(TEMPLATES[template_id].tool), time.time()
        assert tool is not None
        called = ToolCalled(
            trace_id="t",
            tenant_id="local",
            user_id="u",
            roles=("viewer",),
            call_id="c",
            step_id="s",
            tool_id=tool.id,
            tool_type=tool.tool_type,
            kind=tool.kind,
            params={"template": template_id, "args": args},
            timeout_s=20.0,
            deadline_at=now + 20.0,
            called_at=now,
        )
        outcome = await execution.run(called)
        await execution.close()
        assert isinstance(outcome, ToolSucceeded), outcome
        return outcome.output

    return asked


async def arguments(template: TemplateAsset, ask: Ask) -> dict[str, Any]:
    """What a question could fill in here and now: the first known name, defaults, the last day."""
    values: dict[str, Any] = {}
    for name, parameter in template.parameters.items():
        if parameter.resolver == "time_range":
            values |= {f"{name}_from": time.time() - 86_400.0, f"{name}_to": time.time() + 1.0}
        elif template.id in SEARCHES:
            values[name] = SEARCHES[template.id]
        elif parameter.resolver == "entity":
            assert parameter.values_from is not None
            values[name] = (await ask(parameter.values_from, {})).rows[0][0]
        else:
            values[name] = 22 if parameter.default is None else parameter.default
    assert set(values) == set(argument_names(template.parameters))
    return values


@pytest.mark.parametrize("template", PACK.templates, ids=lambda template: template.id)
async def test_a_question_gets_what_its_text_and_units_speak_of(template: TemplateAsset, ask: Ask) -> None:
    """It passes the guards and runs on the real store; each hole and each unit is a column or a fact."""
    output = await ask(template.id, await arguments(template, ask))

    columns = {column.name: column.unit for column in output.columns}
    if not output.rows and template.id not in ALWAYS:
        assert set(template.units) <= set(columns) | {"at", "value"}
        return
    assert set(HOLE.findall(template.render.text)) <= set(columns) | set(output.facts)
    assert {name: columns.get(name) for name in template.units} == dict(template.units)
    for index, column in enumerate(output.columns):
        for row in output.rows[:3]:
            if column.unit is Unit.TIMESTAMP and row[index] is not None:
                assert 0 < row[index] < 4e9, column.name


@pytest.mark.parametrize("template_id", ALWAYS)
async def test_questions_about_any_machine_find_something_to_say(template_id: str, ask: Ask) -> None:
    """A sentence without a hole left open."""
    template = TEMPLATES[template_id]
    tool = TOOLS[template.tool]
    step = Step(
        step_id="s", tool_id=tool.id, tool_type=tool.tool_type, kind=tool.kind, render=render_of(template)
    )

    output = await ask(template_id, await arguments(template, ask))
    text = success_text(step, output, "[1]")

    assert output.rows
    assert "[1]" in text
    assert "unknown" not in text or tool.kind == "document"
    assert "nothing was found" not in text


async def test_the_runbook_answers_its_questions(ask: Ask) -> None:
    """The best passage on each trouble is the section about it."""
    sections = {
        "redrive dead letters": "Redrive dead letters",
        "broker down": "The broker is down",
        "clickhouse full": "ClickHouse is full",
        "deadline sweep late": "The deadline sweep is late",
        "worker died": "A worker died",
        "answers slow": "Answers are slow",
    }
    for query, section in sections.items():
        output = await ask("ask_runbook", {"query": query})
        best = dict(zip([column.name for column in output.columns], output.rows[0], strict=True))
        assert best["document_name"] == "opsloom runbook"
        assert best["chunk_text"].startswith(f"opsloom runbook › {section}:"), query


def test_metrics_asked_for_are_sampled() -> None:
    """Each series template names a metric that the sampler takes."""
    sampler, now = Sampler(), time.time()
    taken = [*sampler.sample(now - 1), *sampler.sample(now)]
    known = {(sample.series, sample.metric) for sample in taken}

    wanted = [each.call for each in PACK.templates if each.tool == "host_metrics"]

    assert wanted
    assert {(call["series"], call["metric"]) for call in wanted} <= known


def test_the_pack_covers_all_modes_with_examples_in_two_languages() -> None:
    """At least 25 templates and 3 combos; each with English and Korean examples."""
    assert len(PACK.templates) >= 25
    assert len(PACK.combos) >= 3
    assert {template.mode for template in PACK.templates} == set(Mode) - {Mode.ALL}
    for asset in (*PACK.templates, *PACK.combos):
        english = [example for example in asset.examples if not HANGUL.search(example)]
        assert len(english) >= 2, asset.id
        assert len(english) < len(asset.examples), asset.id


def test_every_table_and_column_of_a_source_exists(pack: Pack) -> None:
    """The whitelist says what is there, and all of what is there."""
    for source in pack.sources:
        if source.engine not in ("sqlite", "fts5"):
            continue
        connection = sqlite3.connect(source.location)
        for table, columns in source.tables.items():
            held = [row[1] for row in connection.execute(f"SELECT * FROM pragma_table_info('{table}')")]
            assert columns == held, table
        connection.close()


def test_only_the_local_tenant_may_use_the_tools() -> None:
    """What one machine knows of itself is nobody else's."""
    assert {tool.supported_tenants for tool in PACK.tools} == {("local",)}
