"""A text that somebody else wrote, with a mark behind each of its figures: of the first result that holds it."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from agents.aggregation.marks import CLOSERS
from agents.aggregation.voice import Voice, zone_of
from agents.figure_check import KnownFigures
from agents.figure_reading import Figure, Moment, Name, Read, read_figures
from agents.references import document_of
from schemas.calls import ToolOutput

_BULLET: Final = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*•]|#+)\s+", re.MULTILINE)
"""The number of a list's line is no figure."""
_OWN_MARK: Final = re.compile(r"[ \t]?\[\d+(?:\s*,\s*\d+)*\]")


class Cited(NamedTuple):
    """A result, and the mark of its reference."""

    mark: str
    output: ToolOutput


def cited(text: str, results: Sequence[Cited], question: str, voice: Voice) -> str:
    """The text with the mark of the first result, in the order given, that holds the figure behind each of its
    figures and moments. Marks that its writer put there go: he did not know the references.

    A figure that only several results hold together (a date of the one with the time of the other) gets the mark of
    the first that holds a part of it. The text must have been held to the figures before (`figure_check`)."""
    text = _OWN_MARK.sub("", text)
    if not results:
        return text
    known = [
        (each.mark, KnownFigures([document_of(each.output)], names=(question,), zone=zone_of(voice.zone)))
        for each in results
    ]
    pieces: list[str] = []
    at = 0
    for read, start, end in _placed(text):
        mark = _mark_of(read, known)
        end += len(CLOSERS.match(text, end)[0])  # type: ignore[index]  # it matches the empty text too
        pieces += (text[at:end], f" {mark}")
        at = max(end, start)
    return "".join((*pieces, text[at:]))


def _placed(text: str) -> list[tuple[Read, int, int]]:
    """Figures and moments with where they stand, from left to right; names with digits in them are none."""
    places: list[tuple[Read, int, int]] = []
    at = 0
    in_words: list[Figure] = []
    for read in read_figures(text):
        start = text.find(read.text, at)
        if start < 0:
            if isinstance(read, Figure):
                in_words.append(read)
            continue
        at = start + len(read.text)
        if not isinstance(read, Name):
            places.append((read, start, at))
    for figure in in_words:
        found = re.search(rf"\b{re.escape(figure.text)}\b", text)
        if found is not None:
            places.append((figure, found.start(), found.end()))
    bullets = [found.span() for found in _BULLET.finditer(text)]
    places = [each for each in places if not any(start <= each[1] < end for start, end in bullets)]
    places.sort(key=lambda place: place[1])
    return [place for index, place in enumerate(places) if not index or place[1] >= places[index - 1][2]]


def _mark_of(read: Read, known: Sequence[tuple[str, KnownFigures]]) -> str:
    for mark, figures in known:
        if figures.holds(read):
            return mark
    if isinstance(read, Moment) and read.date is not None:
        for mark, figures in known:
            if figures.holds(Moment(read.text, read.date)):
                return mark
    return known[0][0]
