"""How well a reading fits its question: how plainly it is about the dataset, and what speaks against it."""

from typing import TYPE_CHECKING, Final

from agents.planning.reading.periods import Period

if TYPE_CHECKING:
    from agents.planning.reading.interpret import Interpretation

_SHORT_S: Final = 2 * 86_400.0


def plainness(read: "Interpretation") -> float:
    """How plainly the question is about rows of the dataset."""
    kinds = {sense.kind for item in read.items for sense in item.senses}
    if "noun" in kinds:
        return 1.0
    if any(read.names_rows(each["field"]) for each in read.query.filters):
        return 0.96
    through = [each["field"] for each in read.query.filters if "." in each["field"]]
    if through and all(_of_its_kind(name, read) for name in through):
        return 0.96
    if through and len(through) == len(read.query.filters):
        return 0.5
    time = read.dataset.time
    if any(sense.kind == "field" and sense.name == time for item in read.items for sense in item.senses):
        return 0.95
    measured = read.target is not None and read.target.measure is not None
    pivot = read.dataset.default_measure is not None and any(
        each["field"] == "metric" for each in read.query.filters
    )
    if measured and (pivot or read.dataset.default_measure is None):
        return 0.97
    values = {each["field"] for each in (*read.query.filters, *read.filters.share)}
    if pivot:
        return 0.95
    sure = [
        item for item in read.items if item.used and item.alone and item.of("value", "condition", "measure")
    ]
    figured = read.target is not None and read.target.field is not None and "." not in read.target.field
    who = any(each.used and each.marked("ask", "who") for each in read.items)
    if sure and (who or read.filters.share or read.target is not None):
        return 0.92
    grouped = [item for item in read.items if item.used and item.alone and item.of("field")]
    if grouped and read.query.group_by and any(item.marked("most") or item.marked("large") or item.marked("rank")
                                               for item in read.items):  # fmt: skip
        return 0.9
    if grouped and read.query.group_by and any(figure.kind == "top" for figure in read.figures):
        return 0.9
    if len(sure) >= 2 or (sure and (figured or read.query.group_by)):
        return 0.92
    asked = any(item.used and item.marked("ask") and item.mark is not None and item.mark.value == "why"
                for item in read.items)  # fmt: skip
    told = [item for item in read.items if item.used and item.alone and item.of("field") and any(
        each.marked("ask", "which") for each in read.items)]  # fmt: skip
    if sure or figured or (told and values) or (asked and read.periods and values):
        return 0.85
    telling = any(read.dataset.fields[each].type == "enum" for each in values if each in read.dataset.fields)
    return 0.75 if len(kinds) >= 2 or len(values) >= 2 or telling else 0.45


def _of_its_kind(name: str, read: "Interpretation") -> bool:
    """Is a looked-up field one of another row of the same table, as a team's parent's name?"""
    own, _, other = name.partition(".")
    declared = read.dataset.fields.get(own)
    return declared is not None and declared.refers_to == read.dataset.id and read.names_rows(other)


def doubts(read: "Interpretation", unread: int) -> float:
    """A factor for what speaks against the reading though each word is accounted for."""
    factor = (
        0.5 if read.ignored_figure or any(figure.kind == "bound" for figure in read.figures) else 0.6**unread
    )
    for item in read.items:
        asked = item.marked("ask", "why") or item.marked("ask", "where")
        if not item.used and (asked or (item.marked("ask", "who") and read.dataset.time is not None)):
            factor *= 0.6
        if item.marked("ask", "which"):
            named = read.next_item(item, 0)
            if named is not None and named.of("value") and named.of("field", "refnoun", "noun") is None:
                factor *= 0.9  # "which queue" asks for a queue, not for what is called so
    figures = {"avg", "min", "max", "median", "p50", "p90", "p95", "p99"}
    wanted = {
        item.mark.value for item in read.items if item.mark is not None and item.mark.kind == "fn"
    } & figures
    if (
        wanted
        and read.query.aggregates
        and all(each["fn"].startswith("count") for each in read.query.aggregates)
    ):
        factor *= 0.5
    return factor


def is_coarse(read: "Interpretation") -> bool:
    """Is a table by the day too coarse for what is asked: a few hours, right now, no period at all?"""
    time = read.dataset.fields.get(read.filters.time_field)
    if read.dataset.default_measure is None or time is None or time.type != "date" or read.query.group_by:
        return False
    return not read.periods or any(_within_a_day(each) for each in read.periods)


def _within_a_day(period: Period) -> bool:
    """Is the period too short, or too much a part of today, for a table by the day?"""
    if not period.open_end:
        return period.until - period.since < 86_400.0
    return period.until - period.since < _SHORT_S
