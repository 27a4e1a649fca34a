"""What the rules planner says where it plans nothing: help, no changes, names nobody knows, no tool for it."""

from agents.planning.catalogue import View
from agents.planning.context import Direct, Reject
from agents.planning.phrases import in_language_first, phrases
from agents.planning.reading.drafting import reasons_of
from agents.planning.reading.query import Reading
from agents.planning.routing import ENOUGH, ENOUGH_DESPITE_A_NAME, Route
from agents.planning.sentence import Sentence
from agents.planning.wayfinding import (
    MAX_SUGGESTIONS,
    help_text,
    of_datasets,
    suggestions,
)


def offer_help(view: View, open_documents: frozenset[int], language: str) -> Direct:
    text, examples = help_text(view.index, open_documents, language)
    return Direct(text, ("the question asks what can be asked",), examples, 10.0)


def refuse_to_change(view: View, sentence: Sentence, open_documents: frozenset[int], language: str) -> Reject:
    ideas = suggestions(view.index, sentence, open_documents, language)
    return Reject(phrases(language).changes_nothing, ("the question asks for a change",), ideas)


def reject(
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
