"""The assets on the page about tools are what packs take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from registry.assets import SourceAsset, ToolAsset
from registry.secrets_guard import secret_findings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tools.md"
BLOCKS = re.findall(
    r"^```yaml (source|tool)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize(("kind", "text"), BLOCKS)
def test_example_is_an_asset_without_a_plain_credential(kind: str, text: str) -> None:
    model = SourceAsset if kind == "source" else ToolAsset

    asset = model.model_validate(yaml.safe_load(text))

    assert secret_findings(asset) == ()


def test_there_is_an_example_of_each_tool() -> None:
    assert [kind for kind, _ in BLOCKS] == ["source", "tool"] * 3
