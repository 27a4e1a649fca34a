"""How the answer to a reading is put into words, English and Korean: a title and a text with holes for figures."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from agents.planning.reading.query import Query, Reading

if TYPE_CHECKING:
    from agents.planning.reading.interpret import Interpretation

_FN: Final = {
    "avg": ("average", "평균"), "sum": ("total", "합계"), "min": ("minimum", "최소"), "max": ("maximum", "최대"),
    "median": ("median", "중앙값"), "p50": ("median", "중앙값"), "p90": ("90th percentile", "90분위"),
    "p95": ("95th percentile", "95분위"), "p99": ("99th percentile", "99분위"), "count": ("count", "건수"),
    "count_distinct": ("different values", "고유 개수"),
}  # fmt: skip
_OPS: Final = {
    "eq": "", "ne": "not ", "lt": "under ", "gt": "over ", "lte": "at most ", "gte": "at least ", "in": "",
    "not_in": "not ", "ilike": "containing ", "like": "containing ",
}  # fmt: skip
_OPS_KO: Final = {"ne": " 제외", "not_in": " 제외", "lt": " 미만", "gt": " 초과", "lte": " 이하", "gte": " 이상",
                  "ilike": " 포함", "like": " 포함"}  # fmt: skip
_BUCKETS_KO: Final = {"hour": "시간", "day": "일", "week": "주", "month": "월"}
_UNITS_KO: Final = {
    "minutes": "분",
    "hours": "시간",
    "seconds": "초",
    "days": "일",
    "percent": "%",
    "GB": "GB",
}
_HANGUL: Final = re.compile(r"[가-힣]")
_LONGEST: Final = 110
OF_ALL: Final = "_of_all"
"""How the column of a figure ends that is given without what its measure says of its rows."""


def worded(reading: Reading, read: "Interpretation", language: str) -> Reading:
    """The reading with the title and the text of its answer."""
    korean = language == "ko"
    title = _title(reading.query, read, korean)
    text = _text(reading.query, read, title, korean)
    return replace(reading, title=title, text=text + _passed_over(reading, korean))


def _passed_over(reading: Reading, korean: bool) -> str:
    """Words that were not understood are said, so that nobody takes the answer for one to all of them."""
    words = ", ".join(f"'{word[:30]}'" for word in dict.fromkeys(reading.ignored) if len(word) > 1)
    if not words:
        return ""
    return f" 다음 말은 고려하지 않았습니다: {words}." if korean else f" Not taken into account: {words}."


def _title(query: Query, read: "Interpretation", korean: bool) -> str:
    """ "Tickets: priority urgent, queue network, last week"."""
    dataset = query.dataset
    name = dataset.title_ko if korean and dataset.title_ko else dataset.title
    said = [_condition(each, read, korean) for each in query.filters if not _is_period(each, read)]
    if query.aggregates and str(query.aggregates[-1]["as"]).endswith(OF_ALL):
        said += [
            _condition(each, read, korean)
            for each in query.aggregates[0]["where"]
            if not _is_period(each, read)
        ]
    said += [period.words for period in read.periods[:2]]
    for by in query.group_by:
        spoken = _group_name(by, read, korean)
        said.append(f"{spoken}별" if korean else f"by {spoken}")
    text = ", ".join(each for each in said if each)
    full = f"{name}: {text}" if text else name
    return full if len(full) <= _LONGEST else full[: _LONGEST - 1] + "…"


def _group_name(by: Any, read: "Interpretation", korean: bool) -> str:
    if isinstance(by, dict):
        bucket = str(by["bucket"])
        return _BUCKETS_KO.get(bucket, bucket) if korean else bucket
    return _name_of(by, read, korean)


def _is_period(condition: dict[str, Any], read: "Interpretation") -> bool:
    declared = read.field_of(condition["field"])
    timed = declared is not None and declared.type in ("time", "date")
    return timed and condition["op"] in ("gte", "lt", "not_null")


def _condition(each: dict[str, Any], read: "Interpretation", korean: bool) -> str:
    name, op = _name_of(each["field"], read, korean), each["op"]
    value: Any = each.get("value")
    if op == "is_null":
        return f"{name} 없음" if korean else f"no {name}"
    if op == "not_null":
        return ""
    if op == "between":
        return f"{name} {value[0]}–{value[1]}" if korean else f"{name} {value[0]} to {value[1]}"
    values = value if isinstance(value, list) else [str(value).strip("%")]
    listed = (" 또는 " if korean else " or ").join(
        _value_name(one, each["field"], read, korean) for one in values
    )
    if korean:
        return f"{name} {listed}{_OPS_KO.get(op, '')}"
    return f"{name} {_OPS[op]}{listed}"


def _name_of(name: str, read: "Interpretation", korean: bool) -> str:
    """What a field is called: in Korean its first Korean noun, if it has one."""
    if korean:
        declared = read.field_of(name)
        for noun in declared.nouns if declared is not None else ():
            if _HANGUL.search(noun):
                return noun
    return _spoken(name)


def _value_name(value: Any, name: str, read: "Interpretation", korean: bool) -> str:
    """What a value is called: in Korean its first Korean word, if it has one."""
    text = str(value)
    if korean and not any(character.isdigit() for character in text):
        declared = read.field_of(name)
        for other in declared.values.get(text, ()) if declared is not None else ():
            if _HANGUL.search(other):
                return other
    return text.replace("_", " ")


def _spoken(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ")


def _text(query: Query, read: "Interpretation", title: str, korean: bool) -> str:
    safe = title.replace("{", "(").replace("}", ")").replace("|", "/")
    if read.kind == "compare" and not query.group_by:
        if korean:
            change = "변화 {change|number} ({change_percent|percent})"
            return f"{safe} — {{first|number}} 대 {{second|number}}, {change}."
        return (
            f"{safe}: {{first|number}} against {{second|number}}, a change of {{change|number}} "
            f"({{change_percent|percent}})."
        )
    if query.aggregates:
        return _figures(query, read, safe, korean)
    if read.single or query.limit == 1:
        names = query.fields[:6] or list(query.dataset.label[:6])
        told = ", ".join(f"{_name_of(name, read, korean)} {_hole(name, read)}" for name in names)
        return f"{safe} — {told}."
    count = "모두 {total|number|건}" if korean else "{total|number} in all"
    return f"{safe} — {count}."


def _hole(name: str, read: "Interpretation") -> str:
    """A value of a row: moments are written on the asker's clocks, figures with their unit."""
    declared = read.field_of(name)
    if declared is not None and declared.type == "time":
        return f"{{{name}|timestamp}}"
    if declared is not None and declared.type == "number" and declared.unit:
        return f"{{{name}|number|{declared.unit}}}"
    return f"{{{name}}}"


def _figures(query: Query, read: "Interpretation", safe: str, korean: bool) -> str:
    main = query.aggregates[0]["as"]
    spoken = []
    for each in query.aggregates:
        hole = (
            f"{{{each['as']}}}"
            if each["fn"] == "share"
            else f"{{{each['as']}|number{_unit(each, read, korean)}}}"
        )
        spoken.append(f"{_figure_name(each, main, read, korean)} {hole}")
    told = ", ".join(spoken)
    if not query.group_by:
        return f"{safe} — {told}."
    groups = ", ".join(f"{{{by['bucket'] if isinstance(by, dict) else by}}}" for by in query.group_by)
    if query.order_by:
        return f"{safe} — {'1위' if korean else 'first'} {groups}: {told}."
    return f"{safe} — {groups}: {told}."


def _figure_name(each: dict[str, Any], main: str, read: "Interpretation", korean: bool) -> str:
    if each["fn"] == "share":
        return "비율" if korean else "share"
    if each["as"] in ("part", "of_all"):
        return {"part": "해당" if korean else "that is", "of_all": "전체" if korean else "of"}[each["as"]]
    if each["as"].endswith(OF_ALL):
        return "조건 없이" if korean else "without that condition"
    word = _FN[each["fn"]][1 if korean else 0]
    if each["fn"] not in ("count", "count_distinct") and "field" in each:
        name = _name_of(each["field"], read, korean)
        declared = read.field_of(each["field"])
        name = name.removesuffix(f" {declared.unit}") if declared is not None and declared.unit else name
        word = f"{name} {word}" if korean else f"{word} {name}"
    past = each["as"].removeprefix(f"{main}_past_")
    if past == each["as"]:
        return word
    days = past.replace("_", " ")
    return f"{word} (지난 {days.replace(' days', '일')})" if korean else f"{word} (past {days})"


def _unit(each: dict[str, Any], read: "Interpretation", korean: bool) -> str:
    """What of a hole says the unit: "|minutes", "|건"."""
    declared = read.field_of(each.get("field", ""))
    if each["fn"] == "count":
        return "|건" if korean else ""
    if each["fn"] in ("count_distinct", "share") or declared is None or not declared.unit:
        return ""
    return f"|{_UNITS_KO.get(declared.unit, declared.unit) if korean else declared.unit}"
