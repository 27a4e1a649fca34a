"""What a user may read of an error."""

from __future__ import annotations

import pytest

from agents.execution.cleaning import cleaned
from registry.assets import SourceAsset
from schemas.errors import SPECS, ErrorCode, ops_error

SOURCE = SourceAsset(
    id="ledger_store", engine="sqlite", location="/srv/ledger.db", tables={"salaries": ["person", "amount"]}
)


@pytest.mark.parametrize(
    "message",
    [
        "no such table: salaries",
        "no such column: Amount",
        "cannot open /srv/ledger.db",
        "see ../secret/file",
        "at http://db.internal:8123/",
        "db.internal:8123 refused",
        "connect to 10.1.2.3 failed",
        "localhost refused",
        "fe80:0:0:1 unreachable",
        "password=hunter2",
        "Authorization: Bearer abc",
        "syntax error in SELECT a FROM b",
        "Traceback (most recent call last)",
        "C:\\data\\x.db",
        "ledger_store is locked",
    ],
)
def test_what_tells_too_much_becomes_the_codes_meaning(message: str) -> None:
    """The text itself stays with operators, in front of the detail."""
    error = cleaned(ops_error(ErrorCode.TOOL_BAD_REQUEST, message, detail="more"), SOURCE)

    assert error.message == SPECS[ErrorCode.TOOL_BAD_REQUEST].meaning
    assert error.detail == f"{message} | more"


@pytest.mark.parametrize(
    "message",
    [
        "Only the mode text is available.",
        "The time range ends before it begins.",
        "There is no word to search for.",
    ],
)
def test_what_tells_nothing_stays(message: str) -> None:
    assert cleaned(ops_error(ErrorCode.INVALID_PARAMS, message), SOURCE).message == message


@pytest.mark.parametrize("code", list(ErrorCode))
def test_meanings_stay_as_they_are(code: ErrorCode) -> None:
    assert cleaned(ops_error(code), SOURCE).message == SPECS[code].meaning


def test_a_suggestion_that_tells_too_much_is_dropped() -> None:
    error = ops_error(ErrorCode.TOOL_BAD_REQUEST, suggestion="Look into /srv/ledger.db.")

    assert cleaned(error, None).suggestion is None


def test_a_long_detail_is_cut() -> None:
    assert len(cleaned(ops_error(ErrorCode.INTERNAL_ERROR, detail="x" * 9_999), None).detail or "") == 4_000
