"""The rules planner: retrieval finds what a question speaks for, resolvers fill it in, and the score decides.

Deterministic: the same question against the same registry at the same moment is the same plan. It needs no
network and never runs a template whose parameters the question leaves open.
"""

from dataclasses import replace

from agents.planning.calendars import zone_named
from agents.planning.catalogue import Catalogue, View
from agents.planning.context import Direct, Draft, PlanningContext, Reject
from agents.planning.decomposition import parts_of
from agents.planning.drafts import (
    NAME,
    draft,
    draft_mixed,
    draft_read,
    draft_series,
    joined_reasons,
    read_reasons,
    route_reasons,
    with_the_name,
)
from agents.planning.reading.query import Reading
from agents.planning.reading.reader import Asked
from agents.planning.reading.series import series_of
from agents.planning.refusals import offer_help, refuse_to_change, reject
from agents.planning.resolvers import Filling
from agents.planning.routing import (
    CLEARLY,
    ENOUGH_FOR_A_PART,
    PLAINLY_ONE,
    Route,
    Routed,
    about_something,
    beats,
    enough,
    is_plain,
    names_nobody,
    route,
)
from agents.planning.sentence import Sentence
from agents.planning.spelling import Corrected
from agents.planning.timeranges import find_time_ranges
from agents.planning.validation import Asker
from agents.planning.wayfinding import (
    asks_for_help,
    asks_to_change,
)
from registry.assets import TemplateAsset
from registry.registry import Registry
from schemas.questions import Mode, QuestionAsked


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
        better = isinstance(decision, Reject) or again.score > decision.score + CLEARLY
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
            return offer_help(view, open_documents, context.language)
        if question.mode is not Mode.DOCUMENT and asks_to_change(sentence):
            return refuse_to_change(view, sentence, open_documents, context.language)
        whole = route(view, question, sentence, context, open_documents)
        if question.mode is Mode.GRAPH:
            whole = about_something(whole)
        reading = self._read(view, question, sentence, context)
        if not is_plain(reading):
            several = self._several(view, question, sentence, context, open_documents, whole, reading)
            if several is not None:
                return several
            parts = self._parts(view, question, sentence, context, open_documents, whole)
            if parts and not beats(reading, min(parts, key=lambda part: part.score)):
                return draft(parts, joined_reasons(parts, whole))
        reading, series = self._with_series(view, reading, context, open_documents)
        if reading is not None and series is not None:
            same = whole.best is not None and whole.best.document.templates == (series[0],)
            if beats(reading, whole.best) or (same and beats(reading, None)):
                return draft_series(reading, series)
        if reading is not None and beats(reading, whole.best):
            return draft_read((reading,), read_reasons(reading, whole))
        if whole.best is None or not enough(whole, question.mode) or names_nobody(reading, whole.best):
            return reject(view, sentence, whole, open_documents, reading, context.language)
        return draft((whole.best,), route_reasons(whole))

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
            text = with_the_name(text, found)
            words = Sentence.read(text)
            read = self._read(view, question, words, context, text)
            way = route(view, question, words, context, open_documents)
            if read is not None and beats(read, way.best):
                found.append(read)
            elif way.best is not None and way.best.score >= ENOUGH_FOR_A_PART and not way.best.ignored:
                if way.unknown or len(way.best.document.templates) > 1:
                    return None
                found.append(way.best)
            else:
                return None
        readings = tuple(each for each in found if isinstance(each, Reading))
        weakest = min(each.score for each in found)
        if not readings or (reading is not None and not reading.strange and reading.score >= weakest):
            return None
        if whole.best is not None and not whole.best.ignored and whole.best.score >= weakest:
            return None
        return draft_mixed(found, weakest)

    def _view(self, registry: Registry, tenant_id: str) -> View:
        if self._catalogue is None or self._catalogue.registry is not registry:
            self._catalogue = Catalogue(registry)
        return self._catalogue.view(tenant_id)

    def _open(self, view: View, question: QuestionAsked) -> frozenset[int]:
        """The documents the question may be answered with: of its mode, with tools its asker may use."""
        asker = Asker(question.tenant_id, question.user.roles, question.options.tools)
        return view.open_to(asker, question.mode)

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
            text = with_the_name(text, tuple(routed.values()))
            way = route(view, question, Sentence.read(text), context, open_documents)
            if way.best is None or way.best.score < ENOUGH_FOR_A_PART or way.best.ignored:
                return ()
            if way.unknown or len(way.best.document.templates) > 1:
                return ()
            routed.setdefault(way.best.document.id, way.best)
        if len(routed) < 2:
            return ()
        weakest = min(part.score for part in routed.values())
        if whole.best is not None and not whole.unknown and whole.best.score >= weakest:
            return ()
        return tuple(routed.values())
