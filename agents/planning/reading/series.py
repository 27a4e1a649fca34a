"""The series behind a metric: a table by the day says what a day was like, a series what an hour was."""

from collections.abc import Iterable

from agents.planning.calendars import zone_named
from agents.planning.context import PlanningContext
from agents.planning.reading.query import Reading
from agents.planning.resolvers import Filling
from agents.planning.retrieval import Document
from agents.planning.sentence import Sentence
from agents.planning.timeranges import find_time_range
from registry.assets import TemplateAsset


def series_of(
    reading: Reading, documents: Iterable[Document], context: PlanningContext
) -> tuple[TemplateAsset, Filling] | None:
    """The template for the metric and the one thing that a reading is about, filled in; None if there is none."""
    told = {each["field"]: each["value"] for each in reading.query.filters if each["op"] == "eq"}
    for document in documents:
        template = document.templates[0]
        metric = template.call.get("metric")
        if len(document.templates) != 1 or not isinstance(metric, str) or metric not in told.values():
            continue
        names = [name for name, each in template.parameters.items() if each.resolver == "entity"]
        ranges = [name for name, each in template.parameters.items() if each.resolver == "time_range"]
        fields = reading.query.dataset.fields
        things = [value for name, value in told.items() if name in fields and fields[name].type == "entity"]
        if len(names) != 1 or len(ranges) > 1 or len(things) != 1 or len(template.parameters) > 2:
            continue
        args: dict[str, object] = {names[0]: things[0]}
        for name in ranges:
            bounds = reading.period or _default(template, name, context)
            if bounds is None:
                return None
            args |= {f"{name}_from": bounds[0], f"{name}_to": bounds[1]}
        return template, Filling(args, {}, ())
    return None


def _default(template: TemplateAsset, name: str, context: PlanningContext) -> tuple[float, float] | None:
    sentence = Sentence.read(str(template.parameters[name].default))
    found = find_time_range(sentence, context.now, (), zone_named(context.time_zone))
    return (found.since, found.until) if found is not None else None
