"""Texts that somebody else wrote are held to the figures: what does not occur in the tools' results is left out.

A sentence stays only if every number in it occurs in the results, by value: 25125558681 may be written as 23.4 GiB,
0.031 as 3.1%, 90 seconds as 1.5 min. Dates, times and names with digits (db-7, INC-1041) must occur there too; names
may also come from the question. Sums, differences and ratios that no tool computed do not occur anywhere: whoever
wants them asks a tool for them.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from agents.figure_reading import Figure, Moment, Name, Read, read_figures
from schemas.word import Json

_SENTENCES: Final = re.compile(r"(?<=[.!?。])(?=\s)")
_BULLET: Final = re.compile(r"\s*(?:[-*•]|#+|\d{1,3}[.)])\s+")
_EARLIEST, _LATEST = 946_684_800.0, 4_102_444_800.0
"""Numbers between 2000 and 2100 as Unix seconds may be moments."""
_MOST_NUMBERS: Final = 200_000
_MOST_CHARACTERS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A text without the sentences whose figures occur nowhere, and those sentences."""

    text: str
    dropped: tuple[str, ...] = ()


class KnownFigures:
    """The figures of some results, to hold texts against. Reading bounds itself: what lies beyond 200,000 numbers or
    4 million characters counts as unknown."""

    def __init__(self, documents: Iterable[Json], *, names: Iterable[str] = (), zone: tzinfo = UTC) -> None:
        """`documents` are results as JSON values; `names` are texts, such as the question, whose names are known
        but whose numbers are not. Moments may be written in UTC or in `zone`."""
        self._zones = (UTC,) if zone is UTC else (UTC, zone)
        self._texts: list[str] = []
        self._dates: set[tuple[int, int, int]] = set()
        self._times: set[str] = set()
        self._left = _MOST_CHARACTERS
        self._counts: list[float] = []
        numbers: list[float] = []
        seconds: list[float] = []
        sizes: list[float] = []
        for document in documents:
            self._walk(document, numbers, seconds, sizes)
        self._numbers = _sorted(numbers)
        self._by_unit = {
            "": _sorted([*numbers, *self._counts]),
            "bytes": _sorted([*numbers, *sizes]),
            "seconds": _sorted([*numbers, *[number / 1000 for number in numbers], *seconds]),
            "percent": _sorted([*numbers, *[number * 100 for number in numbers if abs(number) <= 1]]),
        }
        self._names = "\n".join([*self._texts, *names]).casefold()

    def holds(self, read: Read) -> bool:
        """Does it occur?"""
        if isinstance(read, Name):
            return read.text.casefold() in self._names
        if isinstance(read, Moment):
            return self._knows_moment(read)
        return _near(self._by_unit[read.unit], read.value, read.half_step) or _near(
            self._numbers, read.plain, read.plain_half_step
        )

    def _knows_moment(self, moment: Moment) -> bool:
        if moment.time and moment.time.zfill(5) not in self._times:
            return False
        if moment.date is None:
            return True
        year, month, day = moment.date
        return any(
            month == known[1] and year in (0, known[0]) and day in (0, known[2]) for known in self._dates
        )

    def _walk(
        self, value: Json, numbers: list[float], seconds: list[float], sizes: list[float], key: str = ""
    ) -> None:
        if key:
            self._texts.append(key)
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, int | float):
            if len(numbers) < _MOST_NUMBERS and value - value == 0:
                self._number(float(value), numbers)
        elif isinstance(value, str):
            self._text(value, numbers, seconds, sizes)
        elif isinstance(value, dict):
            for name, inner in value.items():
                self._walk(inner, numbers, seconds, sizes, str(name))
        elif isinstance(value, list | tuple):
            self._counts.append(float(len(value)))
            for inner in value:
                self._walk(inner, numbers, seconds, sizes)

    def _number(self, value: float, numbers: list[float]) -> None:
        numbers += (value, -value) if value else (value,)
        if _EARLIEST <= value <= _LATEST:
            self._stamp(datetime.fromtimestamp(value, UTC))

    def _stamp(self, at: datetime) -> None:
        for zone in self._zones:
            there = at.astimezone(zone)
            self._dates.add((there.year, there.month, there.day))
            self._times.add(there.strftime("%H:%M"))

    def _text(self, text: str, numbers: list[float], seconds: list[float], sizes: list[float]) -> None:
        text = text[: max(self._left, 0)]
        self._left -= len(text)
        self._texts.append(text)
        for read in read_figures(text):
            if isinstance(read, Figure):
                numbers += (read.plain, -read.plain)
                if read.unit == "seconds":
                    seconds.append(read.value)
                elif read.value != read.plain:
                    (sizes if read.unit else numbers).append(read.value)
            elif isinstance(read, Moment):
                self._moment(read)

    def _moment(self, moment: Moment) -> None:
        if moment.date is not None:
            self._dates.add(moment.date)
        if moment.time:
            self._times.add(moment.time.zfill(5))
        if moment.date is not None and moment.time:
            year, month, day = moment.date
            hour, minute = map(int, moment.time.split(":"))
            try:
                self._stamp(datetime(year, month, day, hour, minute, tzinfo=UTC))
            except ValueError:
                return  # no moment of any calendar


def check_figures(text: str, known: KnownFigures) -> Checked:
    """The text without the sentences that name a figure nobody found. Line breaks stay; a line of which nothing is
    left goes."""
    lines: list[str] = []
    dropped: list[str] = []
    for line in text.splitlines():
        bullet = _BULLET.match(line)
        start = bullet.group() if bullet else ""
        kept = []
        for sentence in _SENTENCES.split(line[len(start) :]):
            if all(known.holds(read) for read in read_figures(sentence)):
                kept.append(sentence)
            else:
                dropped.append(sentence.strip())
        rest = "".join(kept).strip()
        if rest or not line.strip():
            lines.append(start + rest)
    return Checked("\n".join(lines).strip(), tuple(dropped))


def _sorted(numbers: Iterable[float]) -> list[float]:
    return sorted(set(numbers))


def _near(ordered: list[float], value: float, half_step: float) -> bool:
    """Is there a number that is written as this value, rounded to its last digit?"""
    slack = half_step * (1 + 1e-9) + abs(value) * 2e-15
    at = bisect_left(ordered, value - slack)
    return at < len(ordered) and ordered[at] <= value + slack
