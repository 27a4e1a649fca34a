"""Time ranges in words, English and Korean: "last 15 minutes", "yesterday", "since Monday", "in March", "지난 10분".

Everything is relative to a `now` and a zone that are handed in; days begin at midnight of that zone. "last week" is
the week before this one, Monday to Sunday, "last 7 days" and "past week" the seven days up to now.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo

from agents.planning.calendars import Calendar, Range
from agents.planning.sentence import Sentence
from agents.planning.time_words import (
    ATOM,
    COUNT,
    ENGLISH_UNIT,
    KOREAN_UNIT,
    UNITS_S,
    UNSURE,
    atom_range,
    clock_range,
    count_of,
)

_TAIL = r"(?: 동안(?:에|의)?| 간| 사이(?:에)?| 이내(?:에)?)?(?: (?:은|는|의|에|에서))?"
_KO_END = r"(?:은|는|의|에|에서|에만|에는|이|도|와|과|랑|보다)?"
_END = r"(?!\S)"

_LAST = re.compile(
    rf"(?<!\S)(?:(?:in|over|during|within|for|from) )?(?:the )?(?:last|past|previous|recent|trailing)"
    rf" {COUNT} ?(?:an? )?{ENGLISH_UNIT}{_END}"
)
_PAST = re.compile(rf"(?<!\S)(?:(?:in|over|during|within|for|from) )?(?:the )?past {ENGLISH_UNIT}{_END}")
_LAST_HOUR = re.compile(
    rf"(?<!\S)(?:(?:in|over|during|within|for|from) )?(?:the )?(?:last|previous|recent)"
    rf" (?P<unit>seconds?|minutes?|mins?|hours?|days?){_END}"
)
_WITHIN = re.compile(rf"(?<!\S)(?:within|in|over|for|during) {COUNT} ?{ENGLISH_UNIT}{_END}")
_AGO = re.compile(rf"(?<!\S)(?P<since>since )?{COUNT} ?{ENGLISH_UNIT} ago{_END}")
_KOREAN_LAST = re.compile(
    rf"(?<!\S)(?:지난|최근|과거) ?{COUNT} ?{KOREAN_UNIT}(?:간|동안|내|의|에|은|는)?(?![가-힣]){_TAIL}{_END}"
)
_KOREAN_UNIT_LAST = re.compile(rf"(?<!\S)(?:지난|최근) ?(?P<unit>시간|하루|일주일|분){_KO_END}{_TAIL}{_END}")
_KOREAN_PLAIN = re.compile(
    rf"(?<!\S){COUNT} {KOREAN_UNIT} (?:동안(?:에|의)?|간|전부터|이내(?:에)?|내(?:에)?){_END}"
)
_KOREAN_AGO = re.compile(rf"(?<!\S){COUNT} ?{KOREAN_UNIT} ?전(?P<since> ?부터| ?이후)?{_KO_END}{_END}")
_BETWEEN = re.compile(
    rf"(?<!\S)(?:between|from) (?P<a>{ATOM}) (?:and|to|until|till|through) (?P<b>{ATOM}){_END}"
    rf"|(?<!\S)(?P<c>{ATOM}) ?(?:부터|에서|~|-|–|to|through|until) (?P<d>{ATOM})(?: ?까지)?(?: ?사이)?{_KO_END}{_END}"
)
_HOW = r"since|from|after|before|until|till|by|prior to|up to|in|on|during|for|within|over|throughout|of|starting|as of"
_KO_HOW = r" ?부터| ?이후(?:로|에)?| ?이전(?:에)?| ?전에| ?까지| ?동안| ?내"
_NAMED = re.compile(
    rf"(?<!\S)(?:(?P<how>{_HOW}) )?(?:the )?(?P<atom>{ATOM})(?P<ko>{_KO_HOW})?{_KO_END}{_END}"
    r"(?P<onwards> (?:onwards?|and later))?"
)
_MOST_AGO = 200_000


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ≤ t < to, in Unix seconds, and the words it was read from."""

    since: float
    until: float
    words: str
    tokens: frozenset[int]


def find_time_range(
    sentence: Sentence, now: float, taken: Collection[int] = (), zone: tzinfo = UTC
) -> TimeRange | None:
    """The first time range a sentence names, by the most telling kind of expression; None if it names none."""
    calendar = Calendar(now, zone)
    clock = clock_range(sentence, calendar, taken)
    if clock is not None:
        return TimeRange(clock.since, clock.until, clock.words, clock.tokens)
    for pattern, reader in _READERS:
        for match in pattern.finditer(sentence.text):
            tokens = sentence.covered(match)
            if tokens.intersection(taken):
                continue
            bounds = reader(match, calendar)
            if bounds is not None and bounds[0] < bounds[1] and bounds[0] < now:
                return TimeRange(*bounds, match.group().strip(), tokens)
    return None


def find_time_ranges(
    sentence: Sentence, now: float, taken: Collection[int] = (), zone: tzinfo = UTC
) -> tuple[TimeRange, ...]:
    """All time ranges a sentence names, in their order, at most four."""
    found: list[TimeRange] = []
    used = set(taken)
    while len(found) < 4:
        another = find_time_range(sentence, now, used, zone)
        if another is None:
            break
        found.append(another)
        used |= another.tokens
    return tuple(sorted(found, key=lambda each: min(each.tokens)))


def _relative(match: re.Match[str], calendar: Calendar) -> Range | None:
    count = count_of(match.groupdict().get("n"))
    return calendar.now - min(count * _unit_s(match["unit"]), calendar.now), calendar.now


def _ago(match: re.Match[str], calendar: Calendar) -> Range | None:
    """ "3 days ago" is that day, "2 hours ago" the hour that began then; "since 3 days ago" runs up to now."""
    unit_s, count = _unit_s(match["unit"]), count_of(match["n"])
    if count * unit_s > calendar.now or count > _MOST_AGO:
        return None
    since = calendar.now - count * unit_s
    if match["since"]:
        return since, calendar.now
    back = int(count)
    if unit_s == UNITS_S["day"]:
        return calendar.day(back)
    if unit_s == UNITS_S["week"]:
        return calendar.week(back)
    if unit_s == UNITS_S["month"] and back < 240:
        return calendar.month(back)
    return since, min(since + unit_s, calendar.now)


def _between(match: re.Match[str], calendar: Calendar) -> Range | None:
    first = atom_range(match["a"] or match["c"], calendar)
    last = atom_range(match["b"] or match["d"], calendar)
    return (first[0], last[1]) if first is not None and last is not None else None


def _named(match: re.Match[str], calendar: Calendar) -> Range | None:
    bounds = atom_range(match["atom"], calendar)
    if bounds is None or (not match["how"] and UNSURE.fullmatch(match["atom"])):
        return None
    how, korean = match["how"] or "", (match["ko"] or "").strip()
    if how in {"before", "prior to"} or korean in {"이전", "이전에", "전에"}:
        return 0.0, bounds[0]
    if how in {"until", "till", "up to", "by"} or korean == "까지":
        return 0.0, bounds[0] if how == "until" else bounds[1]
    if how == "after":
        return bounds[1], calendar.now
    if how in {"since", "from", "starting", "as of"} or korean[:2] in {"부터", "이후"} or match["onwards"]:
        return bounds[0], calendar.now
    return bounds[0], min(bounds[1], max(calendar.now, bounds[0]))


_Reader = Callable[[re.Match[str], Calendar], Range | None]
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (_BETWEEN, _between),
    (_LAST, _relative),
    (_AGO, _ago),
    (_KOREAN_LAST, _relative),
    (_KOREAN_AGO, _ago),
    (_NAMED, _named),
    (_PAST, _relative),
    (_LAST_HOUR, _relative),
    (_KOREAN_UNIT_LAST, _relative),
    (_KOREAN_PLAIN, _relative),
    (_WITHIN, _relative),
)


def _unit_s(word: str) -> float:
    return UNITS_S.get(word) or UNITS_S[word.removesuffix("s")]
