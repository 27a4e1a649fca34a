"""Writes the SLO dashboard as Grafana reads it: `python -m dashboards.build`. A test fails when it was forgotten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dashboards.panels import PANELS, Panel

TARGET = Path(__file__).parent / "grafana" / "dashboards" / "opsloom-slo.json"
_SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "opsloom-clickhouse"}
_PAGE_WIDTH = 24


def dashboard() -> dict[str, Any]:
    """The dashboard: variables for tenant and objective, panels from left to right, row by row."""
    return {
        "uid": "opsloom-slo",
        "title": "opsloom: service levels",
        "tags": ["opsloom", "slo"],
        "timezone": "utc",
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_tenant_variable(), _objective_variable()]},
        "annotations": {"list": []},
        "panels": _placed(),
    }


def _tenant_variable() -> dict[str, Any]:
    sql = "SELECT DISTINCT tenant_id FROM slo_answers WHERE at > now() - INTERVAL 7 DAY ORDER BY tenant_id"
    return {
        "name": "tenant",
        "label": "Tenant",
        "type": "query",
        "datasource": _SOURCE,
        "query": sql,
        "definition": sql,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _objective_variable() -> dict[str, Any]:
    """The share of answers that must not be `failed`; one of a list, so that nothing else gets into the SQL."""
    choices = ("0.9", "0.95", "0.99", "0.995", "0.999")
    return {
        "name": "objective",
        "label": "Objective",
        "type": "custom",
        "query": ",".join(choices),
        "options": [{"text": choice, "value": choice, "selected": choice == "0.99"} for choice in choices],
        "current": {"text": "0.99", "value": "0.99"},
    }


def _placed() -> list[dict[str, Any]]:
    """Panels with their places: as many in a row as fit, the tallest gives the row its height."""
    x = y = row_height = 0
    placed = []
    for number, panel in enumerate(PANELS, start=1):
        if x + panel.width > _PAGE_WIDTH:
            x, y, row_height = 0, y + row_height, 0
        placed.append(_panel(number, panel, x, y))
        x += panel.width
        row_height = max(row_height, panel.height)
    return placed


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    is_series = panel.draw == "timeseries"
    custom = {
        "stacking": {"mode": "normal" if panel.stacked else "none"},
        "fillOpacity": 30 if panel.stacked else 0,
    }
    return {
        "id": number,
        "title": panel.title,
        "description": panel.description,
        "type": panel.draw,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {
            "defaults": {"unit": panel.unit, **({"custom": custom} if is_series else {})},
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}} if is_series else {},
        "targets": [
            {
                "refId": "A",
                "datasource": _SOURCE,
                "editorType": "sql",
                "queryType": "timeseries" if is_series else "table",
                "format": 0 if is_series else 1,
                "rawSql": panel.sql,
            }
        ],
    }


def rendered() -> str:
    """The file's text."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered())
