"""Errors of the driver, in words."""

from __future__ import annotations

import pytest

from sinks.client import ClickHouseError, connect, named


@pytest.mark.parametrize(
    ("text", "code", "reason", "refusal"),
    [
        (
            "Received ClickHouse exception, code: 60, server response: Code: 60. DB::Exception: x",
            60,
            "table",
            False,
        ),
        ("Code: 516. DB::Exception: default: Authentication failed", 516, "password", True),
        ("Code: 27. DB::Exception: Cannot parse (version 25.8)", 27, "Cannot parse", True),
        ("HTTPConnectionPool(host='x'): Max retries exceeded", None, "does not answer", False),
        ("Received ClickHouse exception, code: 241, server response: Code: 241.", 241, "241", False),
    ],
)
def test_an_error_says_what_is_wrong_and_whether_trying_again_helps(
    text: str, code: int | None, reason: str, refusal: bool
) -> None:
    """Memory, a missing table and silence pass; what was understood and refused does not."""
    error = named(RuntimeError(text), "http://h:1")
    assert error.code == code
    assert reason in error.reason
    assert error.is_refusal is refusal


def test_what_is_no_url_is_said_at_once() -> None:
    """Without a look at the network."""
    with pytest.raises(ClickHouseError, match="http://HOST:8123"):
        connect("localhost:8123")


def test_waiting_for_a_server_ends_in_time() -> None:
    """Pauses double up to a second; the clock decides when it is enough."""
    now, pauses = [0.0], []

    def sleep(pause_s: float) -> None:
        pauses.append(pause_s)
        now[0] += pause_s

    with pytest.raises(ClickHouseError, match="does not answer"):
        connect("http://127.0.0.1:9", wait_s=3.0, sleep=sleep, monotonic=lambda: now[0])
    assert pauses[:4] == [0.05, 0.1, 0.2, 0.4]
    assert max(pauses) == 1.0
    assert 3.0 <= now[0] < 4.0
