"""How figures are written for people: one way for the text, the tables and the terminal, in both languages."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from agents.aggregation.clean import inline
from agents.aggregation.voice import PLAIN, Voice, in_zone
from schemas.calls import Unit
from schemas.word import Instant, Json

UNKNOWN: Final = "unknown"
_UNKNOWN_KO: Final = "알 수 없음"
_LAST_INSTANT: Final = 253_402_300_799.0  # 9999-12-31T23:59:59Z, the last moment a datetime can hold
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?")
_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def moment(at: Instant) -> datetime:
    """The instant as an aware datetime in UTC; what lies outside the calendar becomes its nearest end."""
    if not 0.0 <= at <= _LAST_INSTANT:
        at = min(max(0.0, at), _LAST_INSTANT)
    return datetime.fromtimestamp(at, UTC)


def written(value: Json, unit: Unit, voice: Voice = PLAIN) -> str:
    """The value in words of its unit: 25125558681 bytes → "23.4 GiB". Text stays text, on one safe line; None is
    "unknown". Moments are written on the clocks of the voice's zone and name it: "2026-09-21 14:13:20 UTC"."""
    if isinstance(value, str):
        if unit is Unit.TIMESTAMP and _MOMENT.fullmatch(value):
            return _read_moment(value, voice)
        return inline(value)
    if value is None:
        return _UNKNOWN_KO if voice.korean else UNKNOWN
    if isinstance(value, bool):
        return _yes_or_no(value, voice)
    if not isinstance(value, int | float):
        return inline(str(value))
    if value - value != 0:
        return _UNKNOWN_KO if voice.korean else UNKNOWN
    if unit is Unit.TIMESTAMP:
        return stamp(moment(value), voice)
    if unit is Unit.SECONDS and voice.korean:
        return _in_korean(_seconds(value))
    return _WRITERS[unit](value)


def stamp(at: datetime, voice: Voice = PLAIN) -> str:
    """The moment to the second on the clocks of the voice's zone, and the zone's name."""
    if voice.zone != PLAIN.zone:
        at = in_zone(at, voice.zone)
    return f"{at.year:04}-{at:%m-%d %H:%M:%S} {voice.zone}"


def _read_moment(text: str, voice: Voice) -> str:
    """A moment that a store gave as text: without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
        return stamp(at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC), voice)
    except (ValueError, OverflowError):
        return inline(text)  # no day of any calendar


def _yes_or_no(value: bool, voice: Voice) -> str:
    if voice.korean:
        return "예" if value else "아니요"
    return "yes" if value else "no"


def _in_korean(text: str) -> str:
    """ "2 h 5 min" → "2시간 5분"."""
    for unit, korean in _SPANS:
        text = text.replace(unit, korean)
    return text


_SPANS: Final = ((" ms", "밀리초"), (" min", "분"), (" s", "초"), (" h", "시간"), (" d", "일"))


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else _number(value).replace(",", "")


def _percent(value: float) -> str:
    return f"{_decimals(value, 1 if abs(value) >= 1 else 2)}%"


def _decimals(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and abs(value) < 0.01:
        return f"{value:.3g}"
    return _decimals(value, 2)


def _bytes(value: float) -> str:
    size = abs(value)
    step = min((int(size).bit_length() - 1) // 10, len(_BINARY) - 1) if size >= 1 else 0
    size /= 1 << 10 * step
    if size >= 1023.95 and step < len(_BINARY) - 1:  # "1024.0 MiB" is 1.0 GiB
        step, size = step + 1, size / 1024
    sign = "-" if value < 0 else ""
    return f"{sign}{size:.0f} B" if step == 0 else f"{sign}{size:.1f} {_BINARY[step]}"


def _seconds(value: float) -> str:
    sign, size = ("-", -value) if value < 0 else ("", value)
    if size < 1:
        return (
            f"{sign}{_decimals(size * 1000, 0 if size >= 0.01 else 1 if size >= 0.001 else 2)} ms"
            if size
            else "0 s"
        )
    if size < 60:
        return f"{sign}{_decimals(size, 1)} s"
    whole = int(size)
    for long, long_s, short, short_s in (
        ("min", 60, "s", 1),
        ("h", 3600, "min", 60),
        ("d", 86400, "h", 3600),
    ):
        if whole < long_s * 60 or long == "d":
            if long == "h" and whole >= 86400:
                continue
            head, rest = divmod(whole, long_s)
            tail = f" {rest // short_s} {short}" if rest // short_s else ""
            return f"{sign}{head:,} {long}{tail}"
    raise AssertionError("days have no end")


_WRITERS: Final[dict[Unit, Callable[[float], str]]] = {
    Unit.BYTES: _bytes,
    Unit.PERCENT: _percent,
    Unit.SECONDS: _seconds,
    Unit.NUMBER: _number,
    Unit.TEXT: _plain,
}
