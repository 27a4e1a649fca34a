"""Words for times: names of days, weeks, months and quarters, dates, hours of the day, and what they mean."""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from agents.planning.calendars import Calendar, Range
from agents.planning.lexicon import NUMBER_WORDS
from agents.planning.sentence import Sentence

_DAY_S: Final = 86_400.0
UNITS_S: Final[Mapping[str, float]] = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "초": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "분": 60.0,
    "h": 3_600.0, "hr": 3_600.0, "hour": 3_600.0, "시간": 3_600.0,
    "d": _DAY_S, "day": _DAY_S, "일": _DAY_S, "하루": _DAY_S,
    "w": 7 * _DAY_S, "week": 7 * _DAY_S, "주": 7 * _DAY_S, "주일": 7 * _DAY_S, "주간": 7 * _DAY_S, "일주일": 7 * _DAY_S,
    "month": 30 * _DAY_S, "달": 30 * _DAY_S, "개월": 30 * _DAY_S,
    "quarter": 91 * _DAY_S, "분기": 91 * _DAY_S,
    "year": 365 * _DAY_S, "년": 365 * _DAY_S,
}  # fmt: skip
COUNT: Final = rf"(?P<n>\d{{1,6}}|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))}|a|an|few|half)"
ENGLISH_UNIT: Final = (
    r"(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|months?|quarters?|years?)"
)
KOREAN_UNIT: Final = r"(?P<unit>초|분기|분|시간|하루|일주일|일|주일|주간|주|개월|달|년)"

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sep sept", "october oct", "november nov", "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mon 월요일", "tuesday tue tues 화요일", "wednesday wed 수요일", "thursday thu thurs 목요일",
            "friday fri 금요일", "saturday sat 토요일", "sunday sun 일요일",
        )
    )
    for name in names.split()
}  # fmt: skip
_QUARTERS: Final = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAY: Final = "|".join(sorted((each for each in _WEEKDAYS if each < "가"), key=len, reverse=True))
_PARTS: Final = {
    "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (20, 24),
    "오전": (0, 12), "오후": (12, 24), "아침": (6, 12), "저녁": (18, 24), "새벽": (0, 6), "밤": (20, 24),
}  # fmt: skip
_ISO: Final = r"\d{4}-\d{2}-\d{2}"

ATOM: Final = (
    rf"(?:{_ISO}[t ]\d{{2}}:\d{{2}}(?::\d{{2}})?z?|{_ISO}|\d{{4}}-\d{{2}}(?!\S)"
    rf"|week of {_ISO}"
    r"|(?:the )?day before yesterday|yesterday(?: (?:morning|afternoon|evening|night))?"
    r"|today|midnight|this (?:morning|afternoon|evening)|tonight"
    r"|(?:so far )?(?:this|(?:the )?current) (?:week|month|quarter|year|weekend)"
    r"|(?:month|year|quarter|week) to date|mtd|ytd|qtd|wtd"
    r"|(?:the )?(?:last|previous|prior|preceding) (?:calendar )?(?:week|month|quarter|year|weekend)"
    r"|(?:the )?(?:week|month) before last"
    rf"|(?:last |this |past )?(?:{_WEEKDAY})(?!\S)"
    rf"|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)? \d{{4}}|\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTH})(?: \d{{4}})?"
    rf"|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?(?!\S)|(?:{_MONTH}) (?:of )?\d{{4}}|(?:last )?(?:{_MONTH})(?!\S)"
    r"|q[1-4](?: (?:of )?\d{4})?|(?:first|second|third|fourth|1st|2nd|3rd|4th) quarter(?: (?:of )?\d{4})?"
    r"|(?:the )?weekend|(?:19|20)\d{2}(?= (?!년)|$)"
    r"|(?:오늘|어제|그저께|그제|엊그제)(?: (?:오전|오후|아침|저녁|새벽|밤))?"
    r"|(?:이번|지난|저번|금|전) ?(?:주말|주|달|월|분기|해|년도?)(?: (?:월|화|수|목|금|토|일)요일)?|지지난 ?(?:주|달)"
    r"|올해|작년|금년|전년도?|금주|금월|당월|전월|전주|전일|당일"
    r"|(?:지난 )?(?:월|화|수|목|금|토|일)요일"
    r"|(?:\d{4} ?년 ?)?\d{1,2} ?월 ?\d{1,2} ?일|(?:\d{4} ?년 ?)?\d{1,2} ?월(?: ?달)?"
    r"|(?:\d{4} ?년 ?)?[1-4] ?분기|\d{4} ?년"
    r"|(?:올해|작년) \d{1,2} ?월)"
)
"""Any name of a period, as one alternative of a larger pattern."""
UNSURE: Final = re.compile(r"(?:19|20)\d{2}|may|mar|march|sat|sun|mon|dec|second quarter")
"""Names that mean a time only behind a word such as "in" or "since"."""


def count_of(words: str | None) -> float:
    """The number a count's words mean; none at all is one."""
    if words is None or words in {"a", "an"}:
        return 1.0
    if words.isdecimal():
        return float(words)
    return {"few": 3.0, "half": 0.5}.get(words) or float(NUMBER_WORDS[words])


def atom_range(text: str, calendar: Calendar) -> Range | None:
    """The period a name means; None for a date no calendar has."""
    text = re.sub(r"^(?:the|so far) ", "", text.strip())
    for read in (_iso, _english_relative, _english_dated, _korean_relative, _korean_dated):
        found = read(text, calendar)
        if found is not None:
            return found
    return None


def _iso(text: str, calendar: Calendar) -> Range | None:
    week = text.startswith("week of ")
    text = text.removeprefix("week of ")
    try:
        if re.fullmatch(_ISO, text):
            day = date.fromisoformat(text)
            return calendar.days(day - timedelta(days=day.weekday()), 7) if week else calendar.days(day, 1)
        if re.fullmatch(r"\d{4}-\d{2}", text):
            return calendar.month_of(int(text[:4]), int(text[5:]))
        if re.match(rf"{_ISO}[t ]", text):
            moment = datetime.fromisoformat(text.replace("z", "+00:00"))
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=calendar.zone)
            return moment.timestamp(), moment.timestamp() + 60.0
    except ValueError:
        return None
    return None


def _english_relative(text: str, calendar: Calendar) -> Range | None:
    words = text.split()
    if text == "weekend":
        return _unit_back(calendar, "weekend", 1 if calendar.today.weekday() < 5 else 0)
    if text == "day before yesterday":
        return calendar.day(2)
    if words[0] in {"today", "yesterday", "tonight", "midnight"} or (
        words[0] == "this" and words[-1] in _PARTS
    ):
        back = 1 if words[0] == "yesterday" else 0
        hours = _PARTS.get("evening" if words[0] == "tonight" else words[-1])
        return _part_of_day(calendar, back, hours)
    if text in {"mtd", "ytd", "qtd", "wtd"}:
        return _unit_back(calendar, {"m": "month", "y": "year", "q": "quarter", "w": "week"}[text[0]], 0)
    if text.endswith("to date"):
        return _unit_back(calendar, words[0], 0)
    if text in {"week before last", "month before last"}:
        return _unit_back(calendar, words[0], 2)
    if words[0] in {"this", "current", "last", "previous", "prior", "preceding", "past"} and len(words) > 1:
        back = 0 if words[0] in {"this", "current"} else 1
        if words[-1] in _WEEKDAYS:
            return calendar.weekday(_WEEKDAYS[words[-1]], before_today=words[0] != "this")
        if words[-1] in _MONTHS:
            return calendar.dated(None, _MONTHS[words[-1]], None)
        return _unit_back(calendar, words[-1], back)
    return calendar.weekday(_WEEKDAYS[text]) if text in _WEEKDAYS else None


def _unit_back(calendar: Calendar, unit: str, back: int) -> Range | None:
    if unit == "weekend":
        monday = calendar.today - timedelta(days=calendar.today.weekday())
        saturday = monday + timedelta(days=5 - 7 * back)
        return calendar.days(saturday if saturday <= calendar.today else saturday - timedelta(days=7), 2)
    read = {
        "week": calendar.week,
        "month": calendar.month,
        "quarter": calendar.quarter,
        "year": calendar.year,
    }
    return read[unit](back) if unit in read else None


def _part_of_day(calendar: Calendar, back: int, hours: tuple[int, int] | None) -> Range:
    if hours is None:
        return calendar.day(back)
    day = calendar.today - timedelta(days=back)
    return calendar.at(day, hours[0]), calendar.at(day, hours[1])


def _english_dated(text: str, calendar: Calendar) -> Range | None:
    quarter = re.fullmatch(r"(?:q([1-4])|(\w+) quarter)(?: (?:of )?(\d{4}))?", text)
    if quarter is not None and (quarter[1] or quarter[2] in _QUARTERS):
        number = int(quarter[1]) if quarter[1] else _QUARTERS[quarter[2]]
        return _quarter(calendar, number, int(quarter[3]) if quarter[3] else None)
    if re.fullmatch(r"\d{4}", text):
        return calendar.year(calendar.today.year - int(text)) if 1970 < int(text) < 2200 else None
    words = re.sub(r"(\d)(?:st|nd|rd|th)\b", r"\1", text).replace(" of ", " ").split()
    month = next((_MONTHS[word] for word in words if word in _MONTHS), None)
    if month is None:
        return None
    numbers = [int(word) for word in words if word.isdecimal()]
    year = next((number for number in numbers if number > 31), None)
    day = next((number for number in numbers if number <= 31), None)
    return calendar.dated(year, month, day)


def _quarter(calendar: Calendar, number: int, year: int | None) -> Range:
    if year is None:
        year = calendar.today.year - (1 if 3 * number - 2 > calendar.today.month else 0)
    return calendar.quarter_of(year, number)


def _korean_relative(text: str, calendar: Calendar) -> Range | None:
    words = text.split()
    days = {"오늘": 0, "당일": 0, "어제": 1, "전일": 1, "엊그제": 2, "그저께": 2, "그제": 2}
    if words[0] in days:
        return _part_of_day(calendar, days[words[0]], _PARTS.get(words[-1]))
    joined = "".join(words)
    named = {
        "올해": ("year", 0), "금년": ("year", 0), "작년": ("year", 1), "전년": ("year", 1), "전년도": ("year", 1),
        "금주": ("week", 0), "전주": ("week", 1), "금월": ("month", 0), "당월": ("month", 0), "전월": ("month", 1),
        "지지난주": ("week", 2), "지지난달": ("month", 2),
    }  # fmt: skip
    if joined in named:
        return _unit_back(calendar, *named[joined])
    unit = re.fullmatch(r"(이번|지난|저번|금|전)(주말|주|달|월|분기|해|년도?)([월화수목금토일]요일)?", joined)
    if unit is not None:
        back = 0 if unit[1] in {"이번", "금"} else 1
        if unit[3]:
            monday = calendar.today - timedelta(days=calendar.today.weekday() + 7 * back)
            return calendar.days(monday + timedelta(days=_WEEKDAYS[unit[3]]), 1)
        kinds = {"주말": "weekend", "주": "week", "달": "month", "월": "month", "분기": "quarter"}
        return _unit_back(calendar, kinds.get(unit[2], "year"), back)
    weekday = joined.removeprefix("지난")
    return (
        calendar.weekday(_WEEKDAYS[weekday], before_today=joined != weekday) if weekday in _WEEKDAYS else None
    )


def _korean_dated(text: str, calendar: Calendar) -> Range | None:
    joined = text.replace(" ", "").removesuffix("달")
    match = re.fullmatch(
        r"(?:(\d{4})년|(올해|작년))?(?:(\d{1,2})월)?(?:(\d{1,2})일)?(?:([1-4])분기)?", joined
    )
    if match is None or not joined:
        return None
    year = int(match[1]) if match[1] else None
    if match[2]:
        year = calendar.today.year - (match[2] == "작년")
    if match[5]:
        return _quarter(calendar, int(match[5]), year)
    if match[3]:
        return calendar.dated(year, int(match[3]), int(match[4]) if match[4] else None)
    return calendar.year(calendar.today.year - year) if year is not None and 1970 < year < 2200 else None


class Clock(NamedTuple):
    """Hours of a day, found in a sentence."""

    since: float
    until: float
    words: str
    tokens: frozenset[int]


_HOUR: Final = r"(\d{1,2})(?::(\d{2}))? ?(am|pm|o'clock|h)?"
_CLOCK: Final = re.compile(
    rf"(?<!\S)(?:between|from) {_HOUR} (?:and|to|until|till) {_HOUR}(?: (?P<day>on )?(?P<atom>{ATOM}))?(?!\S)"
)
_KOREAN_CLOCK: Final = re.compile(
    rf"(?<!\S)(?:(?P<atom>{ATOM}) )?(?P<p>오전|오후|새벽)? ?(\d{{1,2}}) ?시(?:에서|부터| ~|~)?"
    rf" (?P<q>오전|오후)? ?(\d{{1,2}}) ?시(?: ?까지)?(?: ?사이)?(?:에|의)?(?!\S)"
)


def clock_range(sentence: Sentence, calendar: Calendar, taken: Collection[int]) -> Clock | None:
    """ "between 3 and 5 pm", "from 9:00 to 11:30 yesterday", "오후 3시부터 5시까지"; of today unless a day is named."""
    for pattern, korean in ((_CLOCK, False), (_KOREAN_CLOCK, True)):
        match = sentence.search(pattern, taken)
        if match is None:
            continue
        day = calendar.today
        if match["atom"]:
            bounds = atom_range(match["atom"], calendar)
            if bounds is None:
                continue
            day = datetime.fromtimestamp(bounds[0], calendar.zone).date()
        found = _korean_hours(match) if korean else _english_hours(match)
        if found is None:
            continue
        (first, first_minute), (last, last_minute) = found
        since, until = calendar.at(day, first, first_minute), calendar.at(day, last, last_minute)
        if since < until:
            return Clock(since, until, match.group().strip(), sentence.covered(match))
    return None


_Time = tuple[int, int]


def _english_hours(match: re.Match[str]) -> tuple[_Time, _Time] | None:
    a, a_minute, a_half, b, b_minute, b_half = match.groups()[:6]
    if not (a_half or b_half or a_minute or b_minute):
        return None
    a_half = a_half or b_half
    first, last = _hour(int(a), a_half), _hour(int(b), b_half)
    if first is None or last is None:
        return None
    return (first, int(a_minute or 0)), (last, int(b_minute or 0))


def _korean_hours(match: re.Match[str]) -> tuple[_Time, _Time] | None:
    numbers = [int(each) for each in match.groups() if each is not None and each.isdecimal()]
    if len(numbers) != 2:
        return None
    said = match["p"] or (match["atom"] or "").rpartition(" ")[2]
    half = "pm" if said == "오후" else "am" if said in ("오전", "새벽") else None
    later = "pm" if match["q"] == "오후" else half
    first, last = _hour(numbers[0], half), _hour(numbers[1], later)
    return None if first is None or last is None else ((first, 0), (last, 0))


def _hour(hour: int, half: str | None) -> int | None:
    if hour > 24:
        return None
    if half == "pm" and hour < 12:
        return hour + 12
    return 0 if half == "am" and hour == 12 else hour
