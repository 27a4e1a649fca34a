"""`opsloom guard replay` over recorded calls: the sink's own rows in, what another policy had done out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from cli.main import app
from schemas.errors import ErrorCode
from schemas.events import Event
from sinks.client import insert
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.rows import Origin, merge, rows_of
from tests.support.road_events import answer, failed, succeeded

PROBE_PACK = str(Path(__file__).parents[2] / "packs" / "probe")
TIGHT = """
id: probe.default
policy_set: DEFAULT
timeout_s: 120
retries: 0
calls_per_minute: 100000
calls_per_second: 5
over_limit: refuse
max_rows: 2
"""


def _store(client: Client, events: list[Event]) -> None:
    for table, rows in merge(rows_of(event, Origin("t", 0, i)) for i, event in enumerate(events)).items():
        insert(client, table, rows)


def _calls(now: float) -> list[Event]:
    """Ten calls of one tenant within half a second, of 100 ms and three rows each; one of another tenant a minute
    later, which failed; one of a tool that the policy does not limit, and one from the day before yesterday."""
    began = now - 3_600
    first = replace(succeeded("0" * 32, "a", began, 0.1), tool_id="probe", retries=0, policy_version=1)
    events: list[Event] = [
        replace(
            first,
            call_id=f"c{number}",
            started_at=began + number * 0.05,
            ended_at=began + number * 0.05 + 0.1,
        )
        for number in range(10)
    ]
    down = failed("1" * 32, "a", began + 60, 0.2, ErrorCode.UPSTREAM_UNAVAILABLE, tenant="globex")
    events.append(replace(down, tool_id="probe", policy_version=1))
    events.append(replace(first, call_id="other", tool_id="somewhere_else"))
    events.append(replace(first, call_id="old", started_at=now - 200_000, ended_at=now - 199_999))
    events.append(answer("0" * 32, began, 2.0))
    return events


def _replay(engine: EmbeddedClickHouse, database: str, tmp_path: Path, text: str, *options: str) -> Result:
    policy = tmp_path / "policy.yaml"
    policy.write_text(text)
    places = ("--clickhouse", engine.url, "--broker", "127.0.0.1:1", "--data", str(tmp_path))
    return CliRunner().invoke(
        app,
        ["guard", "replay", "--policy", str(policy), "--pack", PROBE_PACK, *places, *options],
        env={"OPSLOOM_CLICKHOUSE_DATABASE": database, "COLUMNS": "200"},
    )


def _row(report: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    (row,) = (each for each in report["rows"] if each["tenant_id"] == tenant)
    return dict(row)


def test_a_tighter_policy_over_what_the_sink_recorded(
    engine: EmbeddedClickHouse, client: Client, database: str, tmp_path: Path
) -> None:
    """Five of the ten calls pass under five a second, their rows cut at two; the other tenant's call stays."""
    _store(client, _calls(time.time()))

    result = _replay(engine, database, tmp_path, TIGHT, "--since", "24h", "--json")

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert (report["calls"], report["other_calls"], report["left_out"]) == (11, 1, 0)
    assert report["policies"] == ["probe.default@2"]
    acme, globex = _row(report, "acme"), _row(report, "globex")
    assert (acme["calls"], acme["before"]["allowed"], acme["as_recorded"]) == (10, 10, 10)
    assert (acme["after"]["allowed"], acme["after"]["rate_limited"], acme["after"]["cut"]) == (5, 5, 5)
    assert (globex["before"]["failed"], globex["after"]["failed"], globex["as_recorded"]) == (1, 1, 1)
    assert report["notes"]


def test_a_person_sees_what_changes_and_what_is_unsure(
    engine: EmbeddedClickHouse, client: Client, database: str, tmp_path: Path
) -> None:
    """One line a tenant; figures that differ before and after."""
    _store(client, _calls(time.time()))

    result = _replay(engine, database, tmp_path, TIGHT, "--tenant", "acme")

    assert result.exit_code == 0, result.output
    for words in (
        "probe.default@2 over 10 calls",
        "10 → 5",
        "0 → 5",
        "No broker answers",
        "Windows begin empty",
    ):
        assert words in result.output


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id: probe.default\npolicy_set: DEFAULT\ntimeout_s: -1\n", "timeout_s"),
        ("id: probe.default\npolicy_set: [\n", "not valid YAML"),
        ("timeout_s: 5\n", "no id"),
        (TIGHT.replace("probe.default", "nobody.uses").replace("DEFAULT", "GRAPH"), "no tool is limited"),
        (TIGHT, "No call"),
    ],
    ids=["a bad field", "no YAML", "no id", "limits nothing", "no calls"],
)
def test_what_is_wrong_is_said_in_one_sentence(
    engine: EmbeddedClickHouse, client: Client, database: str, tmp_path: Path, text: str, reason: str
) -> None:
    """A policy that is none, one that limits nothing, and nothing to replay."""
    result = _replay(engine, database, tmp_path, text)

    assert result.exit_code in (1, 2)
    assert reason in result.output
    assert "Traceback" not in result.output


def test_without_a_clickhouse_it_says_how_to_name_one(tmp_path: Path) -> None:
    """Nothing listens there."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(TIGHT)
    places = ("--clickhouse", "http://127.0.0.1:1", "--broker", "127.0.0.1:1", "--data", str(tmp_path))
    result = CliRunner().invoke(
        app, ["guard", "replay", "--policy", str(policy), "--pack", PROBE_PACK, *places]
    )

    assert result.exit_code == 1
    assert "ClickHouse" in result.output
