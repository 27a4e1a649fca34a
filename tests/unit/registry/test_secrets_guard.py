"""The secrets guard: the corpus, and what holds for every configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.guards.secrets import judge_secrets_case
from cli.packs import load_packs
from registry.packs import PackError
from registry.secrets_guard import find_secrets
from streams.settings import Settings

CORPUS = Path(__file__).parents[2] / "corpus" / "secrets" / "cases.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.read_text().splitlines()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case_of_the_corpus(case: dict[str, Any]) -> None:
    verdict = judge_secrets_case(case)

    assert verdict["decision"] == case["expect"], verdict
    assert "paths" not in case or verdict["paths"] == case["paths"]


def test_the_corpus_is_large_enough() -> None:
    assert sum(case["expect"] == "refuse" for case in CASES) >= 150


@given(JSON)
def test_whatever_a_configuration_holds_it_is_looked_at(config: Any) -> None:
    assert judge_secrets_case({"config": config})["decision"] in ("allow", "refuse")


@given(st.lists(st.sampled_from(["a", "list", "headers", "x y"]), max_size=6))
def test_a_password_is_found_however_deep_and_never_repeated(path: list[str]) -> None:
    config: Any = {"password": "correct-horse-7"}
    for name in path:
        config = [config] if name == "list" else {name: config}

    found = find_secrets(config)

    assert len(found) == 1
    assert found[0].endswith("password")
    assert "correct-horse-7" not in str(found)


def pack(folder: Path, header: str) -> Path:
    (folder / "sources").mkdir(parents=True)
    (folder / "pack.yaml").write_text("id: desk\ntitle: Desk\n")
    (folder / "sources" / "desk.yaml").write_text(
        "id: desk\nengine: http\nlocation: https://api.example.com\n"
        f"outbound: {{headers: {{Authorization: '{header}'}}}}\n"
    )
    return folder


def test_production_refuses_a_pack_with_a_plain_credential(tmp_path: Path) -> None:
    """The error says where, and not what."""
    folder = pack(tmp_path, "Bearer abc123def456")

    with pytest.raises(PackError) as refused:
        load_packs(Settings(packs=(str(folder),), environment="production"))

    assert "desk: outbound.headers.Authorization" in str(refused.value)
    assert "abc123def456" not in str(refused.value)


def test_development_warns_of_a_plain_credential(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = pack(tmp_path, "Bearer abc123def456")

    load_packs(Settings(packs=(str(folder),), environment="development"))

    assert "outbound.headers.Authorization" in caplog.text
    assert "abc123def456" not in caplog.text
