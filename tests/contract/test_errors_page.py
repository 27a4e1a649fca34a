"""docs/errors.md and the one list of codes say the same."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.errors import SPECS, Category, ErrorCode

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


def sections() -> dict[str, str]:
    """What stands under each code, on one line."""
    parts = re.split(r"^### (\w+)$", PAGE.read_text(), flags=re.MULTILINE)
    return {
        code: " ".join(re.split(r"^## ", text, flags=re.MULTILINE)[0].split())
        for code, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_every_code_stands_on_the_page_once() -> None:
    """None is missing, none is invented, none is explained twice."""
    headings = re.findall(r"^### (\w+)$", PAGE.read_text(), flags=re.MULTILINE)
    assert sorted(headings) == sorted(code.value for code in ErrorCode)


def test_meaning_severity_and_retry_are_those_of_the_list() -> None:
    """The page repeats the list's own words."""
    found = sections()
    for code, spec in SPECS.items():
        retry = "yes" if spec.retryable else "no"
        said = f"*{spec.meaning}* Severity {spec.severity.value}; retry {retry}."
        assert found[code.value].startswith(said), code


def test_every_code_says_what_to_do() -> None:
    """A code without advice is half a code."""
    assert all("**What to do:**" in text for text in sections().values())


def test_one_code_has_one_meaning() -> None:
    """No two codes mean the same, and every code is in the list."""
    assert set(SPECS) == set(ErrorCode)
    meanings = [spec.meaning for spec in SPECS.values()]
    assert len(meanings) == len(set(meanings))


def test_nineteen_codes_are_the_answers_and_the_rest_the_roads() -> None:
    """The number is part of the contract with users."""
    assert sum(spec.category is not Category.ROAD for spec in SPECS.values()) == 19
