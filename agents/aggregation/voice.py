"""Whom an answer speaks to: the language of the question and the asker's time zone."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

KOREAN: Final = "ko"


class Voice(NamedTuple):
    """A language, `en` or `ko`, and a time zone by its IANA name."""

    language: str = "en"
    zone: str = "UTC"

    @property
    def korean(self) -> bool:
        return self.language == KOREAN


PLAIN: Final = Voice()
"""English and UTC; `voice_of` gives this very object for them."""


@lru_cache(maxsize=1024)
def voice_of(language: str, zone: str) -> Voice:
    """The voice of a plan. A language that is not known speaks English, a zone that is not known is UTC."""
    if language != KOREAN:
        language = PLAIN.language
    if zone_named(zone) is None:
        zone = PLAIN.zone
    return PLAIN if (language, zone) == PLAIN else Voice(language, zone)


def in_zone(at: datetime, zone: str) -> datetime:
    """The moment on the clocks of that zone; in UTC where there is no such zone or the calendar ends there."""
    known = zone_named(zone)
    if known is None:
        return at
    try:
        return at.astimezone(known)
    except OverflowError:
        return at


@lru_cache(maxsize=1024)
def zone_named(name: str) -> tzinfo | None:
    """The zone of that IANA name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a zone that is not found is a KeyError
        return None


def zone_of(name: str) -> tzinfo:
    """The zone of that name, or UTC."""
    return UTC if name == PLAIN.zone else zone_named(name) or UTC
