"""Time ranges in words, English and Korean: "last 15 minutes", "yesterday", "since 2026-11-01", "지난 10분".

Everything is relative to a `now` that is handed in; days begin at 00:00 UTC. "last week" means the seven days up
to now, as "last 7 days" does; "this week" begins on Monday.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agents.planning.lexicon import NUMBER_WORDS
from agents.planning.sentence import Sentence

_DAY_S = 86_400.0
_UNITS_S = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "초": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "분": 60.0,
    "h": 3_600.0, "hr": 3_600.0, "hour": 3_600.0, "시간": 3_600.0,
    "d": _DAY_S, "day": _DAY_S, "일": _DAY_S, "하루": _DAY_S,
    "w": 7 * _DAY_S, "week": 7 * _DAY_S, "주": 7 * _DAY_S, "주일": 7 * _DAY_S, "주간": 7 * _DAY_S,
    "month": 30 * _DAY_S, "달": 30 * _DAY_S, "개월": 30 * _DAY_S,
    "quarter": 91 * _DAY_S, "분기": 91 * _DAY_S,
    "year": 365 * _DAY_S, "년": 365 * _DAY_S,
}  # fmt: skip
_NUMBER = rf"(?P<n>\d{{1,6}}|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))}|a|an|few|half)"
_ENGLISH_UNIT = (
    r"(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|months?|quarters?|years?)"
)
_KOREAN_UNIT = r"(?P<unit>초|분기|분|시간|하루|일|주일|주간|주|개월|달|년)"
_TAIL = r"(?: 동안(?:에|의)?| 간| 사이(?:에)?| 이내(?:에)?)?(?: (?:은|는|의|에|에서))?"

_LAST = re.compile(
    rf"(?<!\S)(?:(?:in|over|during|within|for|from) )?(?:the )?(?:last|past|previous|recent)"
    rf" (?:{_NUMBER} ?(?:an? )?)?{_ENGLISH_UNIT}(?!\S)"
)
_WITHIN = re.compile(rf"(?<!\S)(?:within|in|over|for|during) {_NUMBER} ?{_ENGLISH_UNIT}(?!\S)")
_AGO = re.compile(rf"(?<!\S)(?P<since>since )?{_NUMBER} ?{_ENGLISH_UNIT} ago(?!\S)")
_KOREAN_LAST = re.compile(
    rf"(?<!\S)(?:지난|최근|과거) ?(?:{_NUMBER} ?)?{_KOREAN_UNIT}(?:간|동안|내|의|에|은|는)?(?![가-힣]){_TAIL}(?!\S)"
)
_KOREAN_PLAIN = re.compile(rf"(?<!\S){_NUMBER} {_KOREAN_UNIT} (?:동안(?:에|의)?|간|전부터|이내(?:에)?)(?!\S)")
_NAMED = re.compile(
    r"(?<!\S)(?P<since>since )?(?P<name>today|yesterday|this (?:week|month|year|morning)|tonight)(?!\S)"
    r"|(?<!\S)(?P<korean>오늘|어제|그저께|그제|이번 ?주|이번 ?달|올해)(?P<from> ?부터)?(?:은|는|의|에|이)?(?!\S)"
)
_DATE = r"\d{4}-\d{2}-\d{2}"
_BETWEEN = re.compile(rf"(?<!\S)(?:between|from) (?P<a>{_DATE}) (?:and|to|until|till) (?P<b>{_DATE})(?!\S)")
_DATED = re.compile(rf"(?<!\S)(?P<how>since|after|on|before|until)? ?(?P<a>{_DATE})(?P<ko> ?이후)?(?!\S)")


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ≤ t < to, in Unix seconds, and the words it was read from."""

    since: float
    until: float
    words: str
    tokens: frozenset[int]


def find_time_range(sentence: Sentence, now: float, taken: Collection[int] = ()) -> TimeRange | None:
    """The first time range a sentence names, by the most telling kind of expression; None if it names none."""
    for pattern, reader in _READERS:
        match = sentence.search(pattern, taken)
        bounds = reader(match, now) if match is not None else None
        if match is not None and bounds is not None and bounds[0] < bounds[1]:
            return TimeRange(*bounds, match.group().strip(), sentence.covered(match))
    return None


def _relative(match: re.Match[str], now: float) -> tuple[float, float] | None:
    return now - _count(match["n"]) * _unit_s(match["unit"]), now


def _ago(match: re.Match[str], now: float) -> tuple[float, float] | None:
    """ "3 days ago" is the day (hour, …) that began then; "since 3 days ago" runs up to now."""
    unit_s = _unit_s(match["unit"])
    since = now - _count(match["n"]) * unit_s
    return since, now if match["since"] else min(since + unit_s, now)


def _named(match: re.Match[str], now: float) -> tuple[float, float] | None:
    name = (match["name"] or match["korean"]).replace(" ", "")
    midnight = _midnight(now)
    open_end = bool(match["since"] or match["from"])
    if name in {"yesterday", "어제"}:
        return midnight - _DAY_S, now if open_end else midnight
    if name in {"그제", "그저께"}:
        return midnight - 2 * _DAY_S, now if open_end else midnight - _DAY_S
    day = datetime.fromtimestamp(midnight, UTC)
    if name in {"thisweek", "이번주"}:
        day -= timedelta(days=day.weekday())
    elif name in {"thismonth", "이번달"}:
        day = day.replace(day=1)
    elif name in {"thisyear", "올해"}:
        day = day.replace(month=1, day=1)
    return day.timestamp(), now


def _between(match: re.Match[str], now: float) -> tuple[float, float] | None:
    first, last = _date(match["a"]), _date(match["b"])
    return (first, last + _DAY_S) if first is not None and last is not None else None


def _dated(match: re.Match[str], now: float) -> tuple[float, float] | None:
    day = _date(match["a"])
    if day is None:
        return None
    if match["how"] in {"since", "after"} or match["ko"]:
        return (day + _DAY_S if match["how"] == "after" else day), now
    return (0.0, day) if match["how"] in {"before", "until"} else (day, day + _DAY_S)


_READERS = (
    (_BETWEEN, _between),
    (_DATED, _dated),
    (_LAST, _relative),
    (_AGO, _ago),
    (_KOREAN_LAST, _relative),
    (_KOREAN_PLAIN, _relative),
    (_NAMED, _named),
    (_WITHIN, _relative),
)


def _count(words: str | None) -> float:
    if words is None or words in {"a", "an"}:
        return 1.0
    if words.isdecimal():
        return float(words)
    return {"few": 3.0, "half": 0.5}.get(words) or float(NUMBER_WORDS[words])


def _unit_s(word: str) -> float:
    return _UNITS_S.get(word) or _UNITS_S[word.removesuffix("s")]


def _midnight(now: float) -> float:
    return now - now % _DAY_S


def _date(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
