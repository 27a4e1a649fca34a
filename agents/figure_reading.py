"""Reading the figures of a text: numbers with their units, durations, moments, names with digits. Pure.

English and Korean. What is read is what `figure_check` compares; a mark such as [1] is no figure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["", "bytes", "seconds", "percent"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as written. `value` is in the base of its unit (bytes, seconds, percent); `plain` is the number
    before its unit; the half steps say how far a value may lie away and still be written so."""

    text: str
    value: float
    half_step: float
    plain: float
    plain_half_step: float
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date (year 0: not written, day 0: a month alone), a time of the day, or both."""

    text: str
    date: tuple[int, int, int] | None = None
    time: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A word with digits in it that is no number: db-7, p95, v1.2.3, INC-1041, 10.0.0.1."""

    text: str


Read = Figure | Moment | Name

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BINARY: Final = {f"{letter}ib": 1024**power for power, letter in enumerate("kmgtpe", 1)}
_DECIMAL: Final = {f"{letter}b": 1000**power for power, letter in enumerate("kmgtpe", 1)}
_BYTES: Final = {
    "b": 1,
    "byte": 1,
    "bytes": 1,
    "바이트": 1,
    "kilobytes": 10**3,
    "megabytes": 10**6,
    "gigabytes": 10**9,
    "terabytes": 10**12,
    **_BINARY,
    **_DECIMAL,
}
_SECONDS: Final = {
    **dict.fromkeys(("µs", "us", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds", "밀리초"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "초"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "분"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "시간"), 3600.0),
    **dict.fromkeys(("d", "day", "days", "일"), 86400.0),
    **dict.fromkeys(("week", "weeks", "주"), 604800.0),
}
_PERCENT: Final = ("%", "percent", "per cent", "percentage points", "퍼센트", "%p")
_SCALES: Final = {
    **dict.fromkeys(("k", "thousand", "천"), 1e3),
    **dict.fromkeys(("m", "million"), 1e6),
    **dict.fromkeys(("bn", "billion"), 1e9),
    "만": 1e4,
    "억": 1e8,
    "trillion": 1e12,
    "조": 1e12,
}


def _one_of(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_NUMBER: Final = r"(?:\d{1,3}(?:[,\u202f]\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?"
_END: Final = r"(?![A-Za-z0-9])"
_DURATION: Final = _one_of(_SECONDS)
_MONTH: Final = rf"(?:{'|'.join(_MONTHS)})[a-z]*\.?"
_UNITS: Final = {
    **{word: ("bytes", float(size)) for word, size in _BYTES.items()},
    **{word: ("seconds", size) for word, size in _SECONDS.items()},
    **dict.fromkeys(_PERCENT, ("percent", 1.0)),
    **{word: ("", scale) for word, scale in _SCALES.items()},
}
_ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL: Final = {word: value for value, word in enumerate(_ONES.split())} | {
    word: 10 * value for value, word in enumerate(_TENS.split(), 2)
}
_LARGE: Final = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_COUNTED: Final = _one_of([*_SMALL, *_LARGE])

_TOKEN: Final = re.compile(
    rf"""
      (?P<mark>\[\d+(?:\s*,\s*\d+)*\])
    | (?P<stamp>\b\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}(?:[T\s]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?)?Z?)
    | (?P<clock>\b\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?)
    | (?P<month>\b{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?![\d.:])(?:,?\s\d{{4}}\b)?
              |\b\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}\b(?:,?\s\d{{4}}\b)?)
    | (?P<korean>(?:\d{{4}}년\s*)?\d{{1,2}}월(?:\s*\d{{1,2}}일)?)
    | (?P<span>[-−]?\d+(?:\.\d+)?\s?(?:{_DURATION}){_END}(?:,?\s(?:and\s)?\d+(?:\.\d+)?\s?(?:{_DURATION}){_END})+)
    | (?P<dotted>\b\d+(?:\.\d+){{2,}}(?:-\w+)?)
    | (?P<number>(?<![\w.])[-−+]?{_NUMBER})(?:[\s-]?(?P<unit>{_one_of(_UNITS)}){_END}|(?![A-Za-z0-9_]))
    | (?P<name>[A-Za-z0-9_]+(?:[-_.:/][A-Za-z0-9_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_WORDS: Final = re.compile(rf"\b(?:{_COUNTED})(?:(?:[\s-]|\sand\s)(?:{_COUNTED}))*\b", re.IGNORECASE)
_PART: Final = re.compile(rf"(\d+(?:\.\d+)?)\s?({_DURATION}){_END}", re.IGNORECASE)


def read_figures(text: str) -> Iterator[Read]:
    """Every figure, moment and name with digits in a text, in order; numbers in words come last."""
    for match in _TOKEN.finditer(text):
        found = _read(match)
        if found is not None:
            yield found
    for match in _WORDS.finditer(text):
        value = _in_words(match.group().lower())
        if value is not None:
            yield Figure(match.group(), value, 0.0, value, 0.0)


def _read(match: re.Match[str]) -> Read | None:
    kind, text = match.lastgroup, match.group().strip()
    if kind == "mark":
        return None
    if kind == "name":
        return Name(text) if any(letter.isdigit() for letter in text) else None
    if kind == "dotted":
        return Name(text)
    if kind == "stamp":
        year, month, day = map(int, re.findall(r"\d+", text)[:3])
        clock = re.search(r"\d{1,2}:\d{2}", text)
        return Moment(text, (year, month, day), clock.group() if clock else "")
    if kind == "clock":
        return Moment(text, None, text[:5].rstrip(":"))
    if kind == "month":
        return _named_month(text)
    if kind == "korean":
        numbers = {unit: int(number) for number, unit in re.findall(r"(\d+)(년|월|일)", text)}
        return Moment(text, (numbers.get("년", 0), numbers["월"], numbers.get("일", 0)))
    if kind == "span":
        return _span(text)
    return _number(match)


def _named_month(text: str) -> Moment:
    words = re.findall(r"[A-Za-z]+|\d+", text.lower())
    month = next(number for number, name in enumerate(_MONTHS, 1) if any(w.startswith(name) for w in words))
    numbers = [int(word) for word in words if word.isdigit()]
    year = next((number for number in numbers if number > 31), 0)
    return Moment(text, (year, month, next((number for number in numbers if number <= 31), 0)))


def _span(text: str) -> Figure:
    total, step = 0.0, 1.0
    for number, word in _PART.findall(text):
        step = _SECONDS[word.lower()]
        total += float(number) * step
    sign = -1 if text[0] in "-−" else 1
    return Figure(text, sign * total, step, sign * total, step, "seconds")  # a written rest is rounded or cut


def _number(match: re.Match[str]) -> Figure:
    written = match["number"].replace("−", "-").replace(",", "").replace("\u202f", "")
    plain = float(written)
    mantissa, _, exponent = written.lower().partition("e")
    places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    half = 0.5 * 10.0**-places
    word = (match["unit"] or "").lower()
    unit, scale = _UNITS.get(word, ("", 1.0))
    return Figure(match.group(), plain * scale, half * scale, plain, half, unit)  # type: ignore[arg-type]


def _in_words(text: str) -> float | None:
    """ "two hundred and five" → 205. A lone "one" is a pronoun more often than a figure."""
    words = re.split(r"[\s-]+", text)
    if words in (["one"], ["zero"]):
        return None
    total, current = 0, 0
    for word in words:
        if word in _SMALL:
            current += _SMALL[word]
        elif word in ("dozen", "hundred"):
            current = max(current, 1) * _LARGE[word]
        elif word in _LARGE:
            total, current = total + max(current, 1) * _LARGE[word], 0
    return float(total + current)
