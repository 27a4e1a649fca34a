"""Overrides on the guarded path: what is lifted passes, for whom and how long it was lifted, and is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from registry.overrides import OverrideAsset
from schemas.calls import ToolFailed, ToolSucceeded
from schemas.errors import ErrorCode
from tests.support import execution_stores as stores

STATEMENT = "SELECT count(*) AS n FROM servers WHERE rack = 'r1' OR 1 = 1"
"""An alternative that is always true: the guard refuses it."""

ENDS_AT = datetime.fromtimestamp(stores.NOW, UTC) + timedelta(minutes=10)


def override(**fields: Any) -> OverrideAsset:
    given = {
        "lifts": ("guard",),
        "tool": "query_inventory",
        "statement": STATEMENT,
        "reason": "an audit",
        "expires_at": ENDS_AT,
        **fields,
    }
    return OverrideAsset(id="o", version=3, **given)


async def ask(folder: Path, asset: OverrideAsset, *, now: float = stores.NOW) -> ToolSucceeded | ToolFailed:
    stores.build_inventory(folder)
    registry = stores.registry_over(folder).register(asset)
    execution = Execution(registry, build_tools(registry, clock=lambda: now), lambda: now)
    try:
        return await execution.run(stores.call("query_inventory", {"sql": STATEMENT}, now=now))
    finally:
        await execution.close()


async def test_lifted_statement_runs_as_it_is_written_and_says_by_what(tmp_path: Path) -> None:
    result = await ask(tmp_path, override())

    assert result.lifted == ("o@3",)
    assert isinstance(result, ToolSucceeded), result
    assert result.output.rows == [[20]]


@pytest.mark.parametrize(
    ("fields", "now"),
    [
        ({"tool": "query_shared"}, stores.NOW),
        ({"tenant": "globex"}, stores.NOW),
        ({"statement": "SELECT 1"}, stores.NOW),
        ({"lifts": ("rate_limit",)}, stores.NOW),
        ({}, stores.NOW + 601),
        ({"status": "deleted"}, stores.NOW),
    ],
    ids=["another tool", "another tenant", "another statement", "another block", "expired", "deleted"],
)
async def test_nothing_else_is_lifted(tmp_path: Path, fields: dict[str, Any], now: float) -> None:
    result = await ask(tmp_path, override(**fields), now=now)

    assert isinstance(result, ToolFailed)
    assert result.error.code is ErrorCode.SQL_BLOCKED
    assert result.lifted == ()
