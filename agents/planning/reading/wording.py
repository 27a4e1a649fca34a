"""How the answer to a reading is put into words, English and Korean: a title and a text with holes for figures."""

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
_LONGEST: Final = 110


def worded(reading: Reading, read: "Interpretation", language: str) -> Reading:
    """The reading with the title and the text of its answer."""
    korean = language == "ko"
    title = _title(reading.query, read, korean)
    return replace(reading, title=title, text=_text(reading.query, read, title, korean))


def _title(query: Query, read: "Interpretation", korean: bool) -> str:
    """ "Tickets: priority urgent, queue network, last week"."""
    dataset = query.dataset
    name = dataset.title_ko if korean and dataset.title_ko else dataset.title
    said = [_condition(each, read) for each in query.filters if not _is_period(each, read)]
    said += [period.words for period in read.periods[:2]]
    for by in query.group_by:
        said.append(f"by {_spoken(by['bucket'] if isinstance(by, dict) else by)}" if not korean else
                    f"{_spoken(by['bucket'] if isinstance(by, dict) else by)}별")  # fmt: skip
    text = ", ".join(each for each in said if each)
    full = f"{name}: {text}" if text else name
    return full if len(full) <= _LONGEST else full[: _LONGEST - 1] + "…"


def _is_period(condition: dict[str, Any], read: "Interpretation") -> bool:
    declared = read.field_of(condition["field"])
    timed = declared is not None and declared.type in ("time", "date")
    return timed and condition["op"] in ("gte", "lt", "not_null")


def _condition(each: dict[str, Any], read: "Interpretation") -> str:
    name = _spoken(each["field"])
    if each["op"] == "is_null":
        return f"no {name}"
    if each["op"] == "not_null":
        return ""
    if each["op"] == "between":
        return f"{name} {each['value'][0]} to {each['value'][1]}"
    value = each["value"]
    listed = " or ".join(str(one) for one in value) if isinstance(value, list) else str(value).strip("%")
    return f"{name} {_OPS[each['op']]}{listed}"


def _spoken(name: str) -> str:
    return name.replace(".", " ").replace("_", " ")


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
    if read.single and query.fields:
        parts = ", ".join(f"{_spoken(name)} {{{name}}}" for name in query.fields[:6])
        return f"{safe} — {parts}."
    count = "{total|number}건" if korean else "{total|number} in all"
    if read.single or (query.limit == 1):
        names = query.fields[:6] or list(query.dataset.label[:6])
        return f"{safe} — " + ", ".join(f"{_spoken(name)} {{{name}}}" for name in names) + "."
    return f"{safe} — {count}."


def _figures(query: Query, read: "Interpretation", safe: str, korean: bool) -> str:
    spoken = []
    for each in query.aggregates:
        hole = f"{{{each['as']}}}" if each["fn"] == "share" else f"{{{each['as']}|number}}"
        spoken.append(f"{_figure_name(each, korean)} {hole}{_unit(each, read)}")
    told = ", ".join(spoken)
    if not query.group_by:
        return f"{safe} — {told}."
    groups = ", ".join(f"{{{by['bucket'] if isinstance(by, dict) else by}}}" for by in query.group_by)
    if query.order_by:
        return f"{safe} — {'1위' if korean else 'first'} {groups}: {told}."
    return f"{safe} — {groups}: {told}."


def _figure_name(each: dict[str, Any], korean: bool) -> str:
    if each["fn"] == "share":
        return "비율" if korean else "share"
    if each["as"] in ("part", "of_all"):
        return {"part": "해당" if korean else "that is", "of_all": "전체" if korean else "of"}[each["as"]]
    word = _FN[each["fn"]][1 if korean else 0]
    if "field" not in each or each["as"] == "count":
        return word
    return f"{word} {_spoken(each['field'])}" if not korean else f"{_spoken(each['field'])} {word}"


def _unit(each: dict[str, Any], read: "Interpretation") -> str:
    declared = read.field_of(each.get("field", ""))
    if each["fn"] in ("count", "count_distinct", "share") or declared is None or not declared.unit:
        return ""
    return f" {declared.unit}"
