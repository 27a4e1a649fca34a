"""The rules planner: retrieval finds what a question speaks for, resolvers fill it in, and the score decides.

Deterministic: the same question against the same registry at the same moment is the same plan. It needs no
network and never runs a template whose parameters the question leaves open.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.planning.calendars import zone_named
from agents.planning.catalogue import Catalogue, View
from agents.planning.context import Direct, Draft, DraftStep, PlanningContext, Reject
from agents.planning.decomposition import parts_of
from agents.planning.examples import Taken
from agents.planning.phrases import in_language_first, phrases
from agents.planning.reading.drafting import applied_to, reasons_of, steps_of
from agents.planning.reading.query import Reading
from agents.planning.reading.reader import Asked
from agents.planning.reading.series import series_of
from agents.planning.resolvers import Filling, Missing, Situation, fill
from agents.planning.retrieval import Document, Index, Match
from agents.planning.sentence import Sentence
from agents.planning.spelling import Corrected
from agents.planning.templates import render_of
from agents.planning.timeranges import find_time_ranges
from agents.planning.validation import Asker
from agents.planning.wayfinding import (
    MAX_SUGGESTIONS,
    asks_for_help,
    asks_to_change,
    help_text,
    of_datasets,
    suggestions,
)
from registry.assets import TemplateAsset
from registry.registry import Registry
from schemas.plans import AppliedAsset
from schemas.questions import Mode, QuestionAsked

NAME = "rules"

ENOUGH = 3.0
"""The score, of 10, from which a question counts as understood."""
ENOUGH_DESPITE_A_NAME = 4.7
ENOUGH_FOR_A_PART = 4.0
"""A part of a question must be understood better than a whole one, else the whole stands."""
ENOUGH_OF_DOCUMENTS = 0.4
ENOUGH_OF_A_GRAPH = 1.3
PLAINLY_ONE = 8.5
"""A question understood this well is not taken apart."""
READ_WELL = 5.0
"""The score from which a reading of a dataset counts as understood."""
_PRONOUN = re.compile(r"\b(?:it|its|this service|that service|this host|that host)\b", re.IGNORECASE)
_SURE_OF_A_TEMPLATE = 6.0
_CLEARLY = 0.5
"""By so much a question without its slips must be understood better than with them."""
_LOOKED_AT = 16
"""Candidates whose parameters are tried."""
_COVERAGE, _LIKENESS = 5.5, 4.5


@dataclass(frozen=True, slots=True)
class Routed:
    """A document the question can be answered with: its score, and its templates filled in."""

    document: Document
    score: float
    matched: tuple[str, ...]
    fillings: tuple[Filling, ...]
    ignored: tuple[str, ...]
    """Words that look like names and that this answer would pass over."""

    @property
    def good_enough(self) -> bool:
        """Is the question understood well enough? What passes over a name must fit the better."""
        return self.score >= (ENOUGH_DESPITE_A_NAME if self.ignored else ENOUGH)


@dataclass(frozen=True, slots=True)
class Route:
    """What can be done with a question: the ranking, and what was left out and why."""

    ranked: tuple[Routed, ...]
    left_out: tuple[str, ...] = ()
    beaten: bool = False
    """Would what names something fit clearly better, were anything named that is known?"""
    unknown: str = ""
    """What the best candidate left out named and nobody knows; then no lesser candidate may stand in."""

    @property
    def best(self) -> Routed | None:
        """The best candidate, if there is one at all."""
        return self.ranked[0] if self.ranked else None


class RulesPlanner:
    """A `Planner` without a network. It keeps an index per registry; make one and use it for all questions."""

    name = NAME

    def __init__(self) -> None:
        self._catalogue: Catalogue | None = None

    def plan(self, question: QuestionAsked, context: PlanningContext) -> Direct | Draft | Reject:
        """The decision on a question; never raises for any text."""
        view = self._view(context.registry, context.tenant_id)
        sentence = Sentence.read(question.question)
        decision = self._decided(view, question, sentence, context)
        if isinstance(decision, Direct) or (isinstance(decision, Draft) and decision.score >= PLAINLY_ONE):
            return decision
        corrected = self._corrected(view, sentence, context)
        if corrected is None:
            return decision
        again = self._decided(
            view, replace(question, question=corrected.text), Sentence.read(corrected.text), context
        )
        better = isinstance(decision, Reject) or again.score > decision.score + _CLEARLY
        if isinstance(again, Reject) or not better:
            return decision
        return replace(again, reasons=(*again.reasons, *corrected.notes))

    def _corrected(self, view: View, sentence: Sentence, context: PlanningContext) -> Corrected | None:
        """The question without its slips, if it has any."""
        if not view.spelling.doubts(sentence):
            return None
        return view.spelling.corrected(sentence, view.known_words(context))

    def _decided(
        self, view: View, question: QuestionAsked, sentence: Sentence, context: PlanningContext
    ) -> Direct | Draft | Reject:
        open_documents = self._open(view, question)
        if asks_for_help(sentence):
            return _help(view, open_documents, context.language)
        if question.mode is not Mode.DOCUMENT and asks_to_change(sentence):
            return _refuse_to_change(view, sentence, open_documents, context.language)
        whole = self._route(view, question, sentence, context, open_documents)
        if question.mode is Mode.GRAPH:
            whole = _about_something(whole)
        reading = self._read(view, question, sentence, context)
        if not _is_plain(reading):
            several = self._several(view, question, sentence, context, open_documents, whole, reading)
            if several is not None:
                return several
            parts = self._parts(view, question, sentence, context, open_documents, whole)
            if parts and not _beats(reading, min(parts, key=lambda part: part.score)):
                return _draft(parts, _joined_reasons(parts, whole))
        reading, series = self._with_series(view, reading, context, open_documents)
        if reading is not None and series is not None:
            same = whole.best is not None and whole.best.document.templates == (series[0],)
            if _beats(reading, whole.best) or (same and _beats(reading, None)):
                return _draft_series(reading, series)
        if reading is not None and _beats(reading, whole.best):
            return _draft_read((reading,), _read_reasons(reading, whole))
        if whole.best is None or not _enough(whole, question.mode) or _names_nobody(reading, whole.best):
            return _reject(view, sentence, whole, open_documents, reading, context.language)
        return _draft((whole.best,), _reasons(whole))

    def _with_series(
        self, view: View, reading: Reading | None, context: PlanningContext, open_documents: frozenset[int]
    ) -> tuple[Reading | None, tuple[TemplateAsset, Filling] | None]:
        """The series, minute by minute, of the metric that a reading by the day is about, if there is a template for
        it. A reading too coarse for its question counts less without one."""
        if reading is None or reading.query.dataset.default_measure is None or reading.query.group_by:
            return reading, None
        found = series_of(
            reading, (view.index.documents[number] for number in sorted(open_documents)), context
        )
        if found is None and reading.coarse:
            reading = replace(reading, score=reading.score * 0.7)
        return reading, found

    def _read(
        self,
        view: View,
        question: QuestionAsked,
        sentence: Sentence,
        context: PlanningContext,
        text: str = "",
    ) -> Reading | None:
        """The best reading of the question, or of a part of it, as a query of a dataset; None if there is none."""
        asker = Asker(question.tenant_id, question.user.roles, question.options.tools)
        open_datasets = view.datasets_open_to(asker, question.mode)
        if not open_datasets:
            return None
        asked = Asked(
            question=text or question.question,
            sentence=sentence,
            now=context.now,
            zone=zone_named(context.time_zone),
            language=context.language,
            tenant_id=context.tenant_id,
            known=context.known_values,
            open_datasets=open_datasets,
        )
        readings = view.reader.readings(asked)
        return readings[0] if readings else None

    def _several(
        self,
        view: View,
        question: QuestionAsked,
        sentence: Sentence,
        context: PlanningContext,
        open_documents: frozenset[int],
        whole: Route,
        reading: Reading | None,
    ) -> Draft | None:
        """A plan of several asks at least one of which is a reading; a period said once holds for all of them."""
        parts = parts_of(question.question)
        if not parts or (
            whole.best is not None and whole.best.score >= PLAINLY_ONE and not whole.best.ignored
        ):
            return None
        ranges = find_time_ranges(sentence, context.now, (), zone_named(context.time_zone))
        found: list[Reading | Routed] = []
        for text in parts:
            if len(ranges) == 1 and ranges[0].words not in Sentence.read(text).text:
                text = f"{text} {ranges[0].words}"
            text = _with_the_name(text, found)
            words = Sentence.read(text)
            read = self._read(view, question, words, context, text)
            route = self._route(view, question, words, context, open_documents)
            if read is not None and _beats(read, route.best):
                found.append(read)
            elif route.best is not None and route.best.score >= ENOUGH_FOR_A_PART and not route.best.ignored:
                if route.unknown or len(route.best.document.templates) > 1:
                    return None
                found.append(route.best)
            else:
                return None
        readings = tuple(each for each in found if isinstance(each, Reading))
        weakest = min(each.score for each in found)
        if not readings or (reading is not None and not reading.strange and reading.score >= weakest):
            return None
        if whole.best is not None and not whole.best.ignored and whole.best.score >= weakest:
            return None
        return _draft_mixed(found, weakest)

    def _view(self, registry: Registry, tenant_id: str) -> View:
        if self._catalogue is None or self._catalogue.registry is not registry:
            self._catalogue = Catalogue(registry)
        return self._catalogue.view(tenant_id)

    def _open(self, view: View, question: QuestionAsked) -> frozenset[int]:
        """The documents the question may be answered with: of its mode, with tools its asker may use."""
        asker = Asker(question.tenant_id, question.user.roles, question.options.tools)
        return view.open_to(asker, question.mode)

    def _route(
        self,
        view: View,
        question: QuestionAsked,
        sentence: Sentence,
        context: PlanningContext,
        open_documents: frozenset[int],
    ) -> Route:
        index = view.index
        match = index.match(sentence)
        situation = Situation(
            sentence=sentence,
            question=question.question,
            strange=index.strange(sentence),
            now=context.now,
            names=view.names(context),
            zone=zone_named(context.time_zone),
        )
        ranked: list[Routed] = []
        left_out: list[tuple[float, str, str]] = []
        for number in index.best(sentence, _LOOKED_AT, open_documents):
            document = index.documents[number]
            fillings = _fillings(document, situation)
            if isinstance(fillings, Missing):
                # As if the name were known: would the question have meant this?
                taken = dict.fromkeys(fillings.tokens, "entity")
                score, _ = _weighed(match, number, taken)
                left_out.append((score, f"left out {document.id}: {fillings.reason}", fillings.named))
                continue
            taken = {at: kind for filling in fillings for at, kind in filling.taken.items()}
            score, matched = _weighed(match, number, taken)
            if matched:
                names = _ignored(situation, taken)
                ranked.append(Routed(document, score, matched, fillings, names))
        if not ranked and question.mode is Mode.DOCUMENT and not any(each[2] for each in left_out):
            ranked = _searched(index, sorted(open_documents), situation)
        ranked.sort(key=lambda routed: (-routed.score, routed.document.id))
        return _route_of(ranked, left_out)

    def _parts(
        self,
        view: View,
        question: QuestionAsked,
        sentence: Sentence,
        context: PlanningContext,
        open_documents: frozenset[int],
        whole: Route,
    ) -> tuple[Routed, ...]:
        """The parts of a question that joins several asks, each with its answer; empty when it is one ask."""
        routed: dict[str, Routed] = {}
        if whole.best is not None and whole.best.score >= PLAINLY_ONE and not whole.best.ignored:
            return ()
        for text in parts_of(question.question):
            text = _with_the_name(text, tuple(routed.values()))
            route = self._route(view, question, Sentence.read(text), context, open_documents)
            if route.best is None or route.best.score < ENOUGH_FOR_A_PART or route.best.ignored:
                return ()
            if route.unknown or len(route.best.document.templates) > 1:
                return ()
            routed.setdefault(route.best.document.id, route.best)
        if len(routed) < 2:
            return ()
        weakest = min(part.score for part in routed.values())
        if whole.best is not None and not whole.unknown and whole.best.score >= weakest:
            return ()
        return tuple(routed.values())


def _searched(index: Index, numbers: Sequence[int], situation: Situation) -> list[Routed]:
    """Whoever asks the documents gets them searched, also in words that no template knows."""
    for number in numbers:
        document = index.documents[number]
        fillings = _fillings(document, situation)
        if isinstance(fillings, Missing) or len(document.templates) != 1:
            continue
        if all(each.resolver == "text" for each in document.templates[0].parameters.values()):
            return [Routed(document, ENOUGH_OF_DOCUMENTS, (), fillings, ())]
    return []


def _about_something(route: Route) -> Route:
    """Of the graph something known is asked about: candidates that took a name go first, where none is good."""
    if route.best is None or route.best.good_enough:
        return route
    ranked = sorted(route.ranked, key=lambda routed: not _took_a_name(routed))
    return replace(route, ranked=tuple(ranked))


def _took_a_name(routed: Routed) -> bool:
    return any(kind == "entity" for filling in routed.fillings for kind in filling.taken.values())


def _names_nobody(reading: Reading | None, routed: Routed) -> bool:
    """Was the question plainly about a dataset, and about something in it that nobody knows?"""
    if reading is None or not reading.strange or reading.score < ENOUGH:
        return False
    if reading.query.aggregates and not reading.query.filters:
        return True
    return reading.score > routed.score and routed.score < _SURE_OF_A_TEMPLATE


def _enough(route: Route, mode: Mode) -> bool:
    """Is the best candidate good enough? A mode that was chosen says half of what is asked: whoever asks the
    documents gets them searched, and whoever asks the graph about something known is told of it."""
    best = route.best
    if best is None:
        return False
    if mode is Mode.DOCUMENT:
        return best.score >= ENOUGH_OF_DOCUMENTS
    if route.beaten and not _took_a_name(best):
        return False
    if mode is Mode.GRAPH and _took_a_name(best) and not route.unknown:
        return best.score >= ENOUGH_OF_A_GRAPH
    return best.good_enough and not route.unknown


def _with_the_name(text: str, earlier: Sequence[Reading | Routed]) -> str:
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


def _is_plain(reading: Reading | None) -> bool:
    """Is the question one ask that a reading accounts for wholly?"""
    return reading is not None and reading.score >= PLAINLY_ONE and not reading.ignored


def _beats(reading: Reading | None, routed: Routed | None) -> bool:
    """Is a reading good enough, and better than the best template?"""
    if reading is None or reading.strange or reading.score < READ_WELL:
        return False
    if routed is None or not routed.good_enough or routed.ignored:
        return True
    return reading.score >= routed.score


def _draft_series(reading: Reading, series: tuple[TemplateAsset, Filling]) -> Draft:
    """The figures of the days with the series of the minutes; the series alone where days are too coarse."""
    days = () if reading.coarse else steps_of((reading,))
    template, filling = series
    steps = (*days, _step(len(days) + 1, template, filling))
    reasons = (*reasons_of(reading), f"took the series of {template.id} for it", *filling.notes)
    return Draft(steps, NAME, reasons, round(reading.score, 2), applied_to((reading,)))


def _draft_read(readings: tuple[Reading, ...], reasons: tuple[str, ...]) -> Draft:
    score = min(each.score for each in readings)
    return Draft(steps_of(readings), NAME, reasons, round(score, 2), applied_to(readings))


def _draft_mixed(found: Sequence[Reading | Routed], score: float) -> Draft:
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


def _read_reasons(reading: Reading, whole: Route) -> tuple[str, ...]:
    beside = whole.best
    told = reasons_of(reading)
    if beside is None:
        return told
    return (f"{told[0]}, best template {beside.score:.1f} ({beside.document.id})", *told[1:])


def _weighed(match: Match, number: int, taken: Taken) -> tuple[float, tuple[str, ...]]:
    """A document's score, 0 to 10, and the words that matched."""
    coverage = match.coverage(number, taken)
    return _COVERAGE * coverage.share + _LIKENESS * match.likeness(number, taken), coverage.matched


def _ignored(situation: Situation, taken: Taken) -> tuple[str, ...]:
    """Strange words nobody took; Korean ones do not count, they are endings more often than names."""
    strange = (situation.sentence.tokens[at].text for at in sorted(situation.strange.difference(taken)))
    return tuple(text for text in strange if text < "가")


def _fillings(document: Document, situation: Situation) -> tuple[Filling, ...] | Missing:
    fillings: list[Filling] = []
    for template in document.templates:
        filled = fill(template.parameters, situation)
        if isinstance(filled, Missing):
            return filled
        fillings.append(filled)
    return tuple(fillings)


def _route_of(ranked: list[Routed], left_out: list[tuple[float, str, str]]) -> Route:
    """The route; where the likeliest candidate was left out over an unknown name, what names nothing of the
    kind may stand in only if the wording speaks for it at least as much."""
    best = ranked[0].score if ranked else 0.0
    told = [
        (score, reason, named) for score, reason, named in sorted(left_out, reverse=True) if score >= best / 2
    ]
    unknown = next(
        (named for score, _, named in told if named and named < "가" and score >= max(best, ENOUGH)), ""
    )
    beaten = bool(told) and told[0][0] > best + _CLEARLY
    return Route(tuple(ranked), tuple(reason for _, reason, _ in told[:3]), beaten, unknown)


def _draft(routed: Sequence[Routed], reasons: tuple[str, ...]) -> Draft:
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


def _step(number: int, template: TemplateAsset, filling: Filling) -> DraftStep:
    return DraftStep(
        step_id=f"s{number}",
        tool_id=template.tool,
        params={"template": template.id, "args": filling.args},
        render=render_of(template),
        template_id=template.id,
    )


def _reasons(route: Route) -> tuple[str, ...]:
    best = route.ranked[0]
    following = route.ranked[1] if len(route.ranked) > 1 else None
    beside = f", next {following.score:.1f} ({following.document.id})" if following else ""
    passed_over = [f"passed over '{' '.join(best.ignored)[:60]}'"] if best.ignored else []
    return (_reason(best) + beside, *_notes(best), *passed_over, *route.left_out)


def _joined_reasons(parts: Sequence[Routed], whole: Route) -> tuple[str, ...]:
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


def _refuse_to_change(
    view: View, sentence: Sentence, open_documents: frozenset[int], language: str
) -> Reject:
    ideas = suggestions(view.index, sentence, open_documents, language)
    return Reject(phrases(language).changes_nothing, ("the question asks for a change",), ideas)


def _help(view: View, open_documents: frozenset[int], language: str) -> Direct:
    text, examples = help_text(view.index, open_documents, language)
    return Direct(text, ("the question asks what can be asked",), examples, 10.0)


def _reject(
    view: View,
    sentence: Sentence,
    route: Route,
    open_documents: frozenset[int],
    reading: Reading | None = None,
    language: str = "en",
) -> Reject:
    say = phrases(language)
    ideas = suggestions(view.index, sentence, open_documents, language)
    of_tables = in_language_first(of_datasets(view.reader), language)
    score = round(route.best.score, 2) if route.best else 0.0
    if reading is not None and reading.strange and reading.score > max(score, ENOUGH):
        name, near = " ".join(reading.strange)[:60], reading.near
        meant = say.did_you_mean.format(near=say.joined_by.join(near)) if near else ""
        text = say.unknown_name.format(name=name) + meant
        examples = in_language_first(reading.query.dataset.examples, language)
        told = tuple(dict.fromkeys((*examples[:2], *ideas, *of_tables)))[:MAX_SUGGESTIONS]
        return Reject(text, (*reasons_of(reading), *route.left_out), told, round(reading.score, 2))
    if route.unknown:
        text = say.unknown_name.format(name=route.unknown)
    elif not open_documents and reading is None:
        text = say.nothing_open
    elif route.best is None and route.left_out:
        text = say.left_open
    else:
        text = say.no_tool
    reasons = []
    if route.best is not None:
        wanted = ENOUGH_DESPITE_A_NAME if route.best.ignored else ENOUGH
        over = f", passing over '{' '.join(route.best.ignored)[:60]}'" if route.best.ignored else ""
        reasons.append(f"best candidate {route.best.document.id}: {score} of {wanted}{over}")
    ideas = tuple(dict.fromkeys((*ideas, *of_tables)))[:MAX_SUGGESTIONS]
    return Reject(text, (*reasons, *route.left_out) or ("no word of it is known",), ideas, score)
