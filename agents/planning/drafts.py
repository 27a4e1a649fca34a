"""Drafts of the rules planner: readings and templates as steps, with the reasons for them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agents.planning.context import Draft, DraftStep
from agents.planning.reading.drafting import applied_to, reasons_of, steps_of
from agents.planning.reading.query import Reading
from agents.planning.resolvers import Filling
from agents.planning.routing import Route, Routed
from agents.planning.templates import render_of
from registry.assets import TemplateAsset
from schemas.plans import AppliedAsset

NAME = "rules"

_PRONOUN = re.compile(r"\b(?:it|its|this service|that service|this host|that host)\b", re.IGNORECASE)


def draft(routed: Sequence[Routed], reasons: tuple[str, ...]) -> Draft:
    steps: list[DraftStep] = []
    combos: list[AppliedAsset] = []
    for each in routed:
        document = each.document
        if len(document.templates) > 1:
            combos.append(AppliedAsset(asset_id=document.id, kind="combo", version=document.asset.version))
        for template, filling in zip(document.templates, each.fillings, strict=True):
            steps.append(_step(len(steps) + 1, template, filling))
    score = min(each.score for each in routed)
    return Draft(tuple(steps), NAME, reasons, round(score, 2), tuple(combos))


def draft_series(reading: Reading, series: tuple[TemplateAsset, Filling]) -> Draft:
    """The figures of the days with the series of the minutes; the series alone where days are too coarse."""
    days = () if reading.coarse else steps_of((reading,))
    template, filling = series
    steps = (*days, _step(len(days) + 1, template, filling))
    reasons = (*reasons_of(reading), f"took the series of {template.id} for it", *filling.notes)
    return Draft(steps, NAME, reasons, round(reading.score, 2), applied_to((reading,)))


def draft_read(readings: tuple[Reading, ...], reasons: tuple[str, ...]) -> Draft:
    score = min(each.score for each in readings)
    return Draft(steps_of(readings), NAME, reasons, round(score, 2), applied_to(readings))


def draft_mixed(found: Sequence[Reading | Routed], score: float) -> Draft:
    """One plan of readings and templates, in the order of the asks."""
    steps: list[DraftStep] = []
    reasons = [f"the question joins {len(found)} asks"]
    for each in found:
        if isinstance(each, Reading):
            reasons += reasons_of(each)
            more = steps_of((each,))
        else:
            reasons += [_reason(each), *_notes(each)]
            pairs = zip(each.document.templates, each.fillings, strict=True)
            more = tuple(_step(number, *pair) for number, pair in enumerate(pairs, 1))
        names = {step.step_id: f"s{len(steps) + number}" for number, step in enumerate(more, 1)}
        steps += [_renamed(step, names) for step in more]
    readings = tuple(each for each in found if isinstance(each, Reading))
    return Draft(tuple(steps), NAME, tuple(reasons), round(score, 2), applied_to(readings))


def _step(number: int, template: TemplateAsset, filling: Filling) -> DraftStep:
    return DraftStep(
        step_id=f"s{number}",
        tool_id=template.tool,
        params={"template": template.id, "args": filling.args},
        render=render_of(template),
        template_id=template.id,
    )


def _renamed(step: DraftStep, names: dict[str, str]) -> DraftStep:
    params = _with_names(step.params, names)
    parents = tuple(names[parent] for parent in step.depends_on)
    return replace(step, step_id=names[step.step_id], depends_on=parents, params=params)


def _with_names(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.get(each, each) if key == "$from" else _with_names(each, names)
            for key, each in value.items()
        }
    return [_with_names(each, names) for each in value] if isinstance(value, list) else value


def with_the_name(text: str, earlier: Sequence[Reading | Routed]) -> str:
    """The part with "it" and "its" replaced by the name that an earlier part was about."""
    names = [name for each in earlier for name in _names_in(each)]
    return _PRONOUN.sub(names[0], text) if names else text


def _names_in(found: Reading | Routed) -> list[str]:
    if isinstance(found, Reading):
        fields = found.query.dataset.fields
        return [
            str(each["value"])
            for each in found.query.filters
            if each["op"] == "eq" and each["field"] in fields and fields[each["field"]].type == "entity"
        ]
    return [
        str(filling.args[name])
        for template, filling in zip(found.document.templates, found.fillings, strict=True)
        for name, parameter in template.parameters.items()
        if parameter.resolver == "entity" and name in filling.args
    ]


def route_reasons(route: Route) -> tuple[str, ...]:
    best = route.ranked[0]
    following = route.ranked[1] if len(route.ranked) > 1 else None
    beside = f", next {following.score:.1f} ({following.document.id})" if following else ""
    passed_over = [f"passed over '{' '.join(best.ignored)[:60]}'"] if best.ignored else []
    return (_reason(best) + beside, *_notes(best), *passed_over, *route.left_out)


def read_reasons(reading: Reading, whole: Route) -> tuple[str, ...]:
    beside = whole.best
    told = reasons_of(reading)
    if beside is None:
        return told
    return (f"{told[0]}, best template {beside.score:.1f} ({beside.document.id})", *told[1:])


def joined_reasons(parts: Sequence[Routed], whole: Route) -> tuple[str, ...]:
    reasons = [f"the question joins {len(parts)} asks"]
    for part in parts:
        reasons += [_reason(part), *_notes(part)]
    if whole.best is not None:
        reasons.append(f"as one ask it would score {whole.best.score:.1f} ({whole.best.document.id})")
    return tuple(reasons)


def _reason(routed: Routed) -> str:
    words = ", ".join(f"'{word[:40]}'" for word in routed.matched[:6])
    kind = "combo" if len(routed.document.templates) > 1 else "template"
    return f"matched {words} of {kind} {routed.document.id}; score {routed.score:.1f}"


def _notes(routed: Routed) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for filling in routed.fillings for note in filling.notes))
