"""How figures are written for people: one way for the text, the tables and the terminal."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from agents.aggregation.clean import inline
from schemas.calls import Unit
from schemas.word import Instant, Json

UNKNOWN: Final = "unknown"
_LAST_INSTANT: Final = 253_402_300_799.0  # 9999-12-31T23:59:59Z, the last moment a datetime can hold
_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def moment(at: Instant) -> datetime:
    """The instant as an aware datetime in UTC; what lies outside the calendar becomes its nearest end."""
    if not 0.0 <= at <= _LAST_INSTANT:
        at = min(max(0.0, at), _LAST_INSTANT)
    return datetime.fromtimestamp(at, UTC)


def written(value: Json, unit: Unit) -> str:
    """The value in words of its unit: 25125558681 bytes → "23.4 GiB". Text stays text, on one safe line;
    None is "unknown"."""
    if isinstance(value, str):
        return inline(value)
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return inline(str(value))
    if value - value != 0:
        return UNKNOWN
    return _WRITERS[unit](value)


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else _number(value).replace(",", "")


def _percent(value: float) -> str:
    return f"{_decimals(value, 1 if abs(value) >= 1 else 2)}%"


def _timestamp(value: float) -> str:
    return moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")


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
    Unit.TIMESTAMP: _timestamp,
    Unit.NUMBER: _number,
    Unit.TEXT: _plain,
}
