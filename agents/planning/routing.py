"""Routes: which templates a question speaks for, how well, and what was left out over a name nobody knows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.planning.calendars import zone_named
from agents.planning.catalogue import View
from agents.planning.context import PlanningContext
from agents.planning.examples import Taken
from agents.planning.reading.query import Reading
from agents.planning.resolvers import Filling, Missing, Situation, fill
from agents.planning.retrieval import Document, Index, Match
from agents.planning.sentence import Sentence
from schemas.questions import Mode, QuestionAsked

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
_SURE_OF_A_TEMPLATE = 6.0
CLEARLY = 0.5
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


def route(
    view: View,
    question: QuestionAsked,
    sentence: Sentence,
    context: PlanningContext,
    open_documents: frozenset[int],
) -> Route:
    """All that can be done with a question by templates, the likeliest first."""
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


def about_something(route: Route) -> Route:
    """Of the graph something known is asked about: candidates that took a name go first, where none is good."""
    if route.best is None or route.best.good_enough:
        return route
    ranked = sorted(route.ranked, key=lambda routed: not _took_a_name(routed))
    return replace(route, ranked=tuple(ranked))


def _took_a_name(routed: Routed) -> bool:
    return any(kind == "entity" for filling in routed.fillings for kind in filling.taken.values())


def names_nobody(reading: Reading | None, routed: Routed) -> bool:
    """Was the question plainly about a dataset, and about something in it that nobody knows?"""
    if reading is None or not reading.strange or reading.score < ENOUGH:
        return False
    if reading.query.aggregates and not reading.query.filters:
        return True
    return reading.score > routed.score and routed.score < _SURE_OF_A_TEMPLATE


def enough(route: Route, mode: Mode) -> bool:
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


def is_plain(reading: Reading | None) -> bool:
    """Is the question one ask that a reading accounts for wholly?"""
    return reading is not None and reading.score >= PLAINLY_ONE and not reading.ignored


def beats(reading: Reading | None, routed: Routed | None) -> bool:
    """Is a reading good enough, and better than the best template?"""
    if reading is None or reading.strange or reading.score < READ_WELL:
        return False
    if routed is None or not routed.good_enough or routed.ignored:
        return True
    return reading.score >= routed.score


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
    beaten = bool(told) and told[0][0] > best + CLEARLY
    return Route(tuple(ranked), tuple(reason for _, reason, _ in told[:3]), beaten, unknown)
