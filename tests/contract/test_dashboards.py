"""Every panel's SQL runs on the real engine and shows what is there; the files Grafana reads agree."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from clickhouse_connect.driver.client import Client

from dashboards.build import TARGET, rendered
from dashboards.panels import PANELS, Panel
from schemas.answers import Status
from schemas.errors import ErrorCode
from schemas.events import Event
from schemas.telemetry import MetricPoint
from sinks.client import connect, insert, query
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.migrate import migrate
from sinks.rows import Origin, merge, rows_of
from tests.support.road_events import answer, failed, letter, result, succeeded

_FOLDER = Path(__file__).parents[2] / "dashboards"


def with_macros(sql: str, since: float, until: float) -> str:
    """The SQL as Grafana's ClickHouse plugin sends it for one tenant and a step of a minute."""
    return (
        sql.replace("$__timeFilter(at)", f"at >= toDateTime({since:.0f}) AND at <= toDateTime({until:.0f})")
        .replace("$__timeInterval(at)", "toStartOfInterval(toDateTime(at), INTERVAL 60 second)")
        .replace("${tenant:singlequote}", "'acme','it''s'")
        .replace("${objective}", "0.99")
    )


@pytest.fixture(scope="module")
def noon() -> float:
    """Noon of today, UTC."""
    return time.time() // 86_400 * 86_400 + 43_200


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, noon: float) -> Iterator[Client]:
    """A reader on a database with one good and one failed answer, a tool that failed and recovered, a letter."""
    good, bad = "1" * 32, "2" * 32
    events: list[Event] = [
        answer(good, noon, 1.0, results=(result(good, "a"),)),
        answer(bad, noon, 3.0, status=Status.FAILED, results=(result(bad, "a", "error"),)),
        failed(bad, "a", noon, 0.5, ErrorCode.UPSTREAM_UNAVAILABLE),
        succeeded(good, "a", noon + 10, 0.5),
        letter(1, noon),
        MetricPoint(name="questions_read", value=2.0, at=noon, tags={"worker": "w0"}),
    ]
    with EmbeddedClickHouse(tmp_path_factory.mktemp("panels")) as engine:
        writer = connect(engine.url, "opsloom")
        migrate(writer, "opsloom")
        for table, rows in merge(rows_of(event, Origin("t", 0, i)) for i, event in enumerate(events)).items():
            insert(writer, table, rows)
        yield connect(engine.url, "opsloom", role="reader")


def _run(client: Client, title: str, noon: float) -> list[dict[str, Any]]:
    (panel,) = (one for one in PANELS if one.title == title)
    return query(client, with_macros(panel.sql, noon - 600, noon + 600))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_shows_what_is_there_and_bears_nothing(stored: Client, noon: float, panel: Panel) -> None:
    """Rows where there is data, series led by a moment; no error where there is none."""
    rows = query(stored, with_macros(panel.sql, noon - 600, noon + 600))
    assert rows
    if panel.draw == "timeseries":
        assert next(iter(rows[0])) == "time"
    query(stored, with_macros(panel.sql, noon - 7200, noon - 3600))


def test_panels_show_the_right_figures(stored: Client, noon: float) -> None:
    """One of two answers failed at an objective of 99 %: fifty times the budget."""
    assert _run(stored, "Answers", noon) == [{"answers": 2}]
    assert _run(stored, "Answer latency", noon)[0]["latency_p50"] == pytest.approx(2000)
    assert _run(stored, "Error budget left", noon)[0]["left"] == pytest.approx(1 - 50)
    assert _run(stored, "Error budget burn rate", noon)[0]["burn_rate"] == pytest.approx(50)
    assert _run(stored, "Rates", noon)[0]["tool_fail_rate"] == pytest.approx(0.5)
    # Failed at 0.5 s, well again at 10.5 s.
    assert _run(stored, "Error recovery time", noon)[0]["recovery_s"] == pytest.approx(10)


def test_the_dashboard_file_is_what_the_panels_say() -> None:
    """Whoever changes a panel writes the file again."""
    assert TARGET.read_text() == rendered(), "run: python -m dashboards.build"


def test_dashboard_data_source_and_provider_name_one_another() -> None:
    """A panel without its data source would show an error in the browser only."""
    (source,) = yaml.safe_load((_FOLDER / "grafana/provisioning/datasources/clickhouse.yaml").read_text())[
        "datasources"
    ]
    dashboard = json.loads(TARGET.read_text())
    asked = {target["datasource"]["uid"] for panel in dashboard["panels"] for target in panel["targets"]}
    assert asked == {source["uid"]}
    assert {panel["datasource"]["type"] for panel in dashboard["panels"]} == {source["type"]}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    assert source["secureJsonData"]["password"].startswith("$")


def test_panels_do_not_lie_over_one_another() -> None:
    """Every cell of the page belongs to at most one panel."""
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(TARGET.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
