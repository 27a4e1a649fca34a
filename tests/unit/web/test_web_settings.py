"""Settings that would leave the door open, or shut for everybody, are refused at the start."""

from __future__ import annotations

import time
from typing import Any

import pytest

from streams.settings import Settings
from web.serve import WebSettingsError, callers_of

LONG = "x" * 32


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONG", LONG)
    monkeypatch.setenv("SHORT", "x" * 31)
    monkeypatch.delenv("OPSLOOM_ENVIRONMENT", raising=False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Nobody could be let in"),
        ({"web_jwt_secret": "env:SHORT"}, "shorter than 32 bytes"),
        ({"web_jwt_secret": "env:LONG", "web_jwks_url": "https://keys.example/jwks"}, "not by both"),
        ({"web_jwks_url": "http://keys.example/jwks"}, "https://"),
        ({"web_dev_token": "env:LONG"}, "this is not development"),
    ],
)
def test_unsafe_settings_are_refused(given: dict[str, Any], says: str) -> None:
    """Each with what to do about it."""
    with pytest.raises(WebSettingsError) as caught:
        callers_of(Settings(**given), time.time)
    assert says in caught.value.reason
    assert caught.value.hint


def test_development_token_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    """Loudly, and without saying what it is."""
    callers_of(Settings(web_dev_token="env:LONG", environment="development"), time.time)
    assert "DEVELOPMENT TOKEN" in caplog.text
    assert LONG not in caplog.text
