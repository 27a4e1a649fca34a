"""Marks of references such as [1], and where they go: behind each figure and what belongs to it, "165.5 ms [1]".

A figure is a number of its own: 0.4.3, 2026-11-20 and 23.4 GiB are figures, eth0, p95 and db-7 are names. What belongs
to it: a unit behind it, Korean that is glued to it (7개, 30일간) and a closing quotation mark. What stands between
quotation marks was written by somebody else and has one mark, behind them.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.calls import Unit

FIGURE: Final = re.compile(r"(?<![\w.-])[-−]?\d")
_UNITS: Final = {unit.value: unit for unit in Unit}
_HOLE: Final = re.compile(r"\{([^{}|]+)(?:\|([^{}|]*))?(?:\|([^{}|]*))?(?:\|([^{}|]*))?\}")
_UNIT_WORDS: Final = (
    r"ms|µs|s|secs?|seconds?|mins?|minutes?|h|hours?|d|days?|weeks?|months?|years?|percent|"
    r"B|[KMGT]i?B|bytes|USD|EUR|KRW|cores?"
)
_BEHIND: Final = rf"(?:\s?%p?(?!\w)|[가-힣]+|\s(?:{_UNIT_WORDS})(?![\w/-])|-?[A-Za-z]+)?[”’]?"
CLOSERS: Final = re.compile(r"[”’]?")
_BOUND: Final = re.compile(rf"(?:\s?%p?(?!\w)|[가-힣]+|\s(?:{_UNIT_WORDS})(?![\w/-]))?[”’]?")
_NUMBER: Final = re.compile(
    rf"(?P<quoted>“[^”]*”)|(?<![\w.:/#-])[-−]?\d(?:[\d,.:/-]*\d)?(?:[ T]\d\d:\d\d(?::\d\d)?)?{_BEHIND}"
)


class Hole(NamedTuple):
    """A place in a template: the name that fills it, the unit that is asked for, the noun of one and of many, and what
    of the text behind it belongs to the figure."""

    name: str
    unit: Unit | None
    one: str
    many: str
    bound: str


class MarkHere(NamedTuple):
    """A place in a template where a mark goes, behind a figure of the template itself."""


MARK: Final = MarkHere()
Part = str | Hole | MarkHere


@lru_cache(maxsize=2048)
def parts_of(template: str) -> tuple[Part, ...]:
    """The template as texts, holes and places for marks."""
    parts: list[Part] = []
    end = 0
    for hole in _HOLE.finditer(template):
        _add_text(parts, template[end : hole.start()])
        end = hole.end()
        bound = _BOUND.match(template, end)
        text_behind = bound.group() if bound is not None else ""
        end += len(text_behind)
        one = (hole[3] or "").strip()
        parts.append(
            Hole(hole[1].strip(), _UNITS.get((hole[2] or "").strip()), one, hole[4] or one, text_behind)
        )
    _add_text(parts, template[end:])
    return tuple(parts)


def _add_text(parts: list[Part], text: str) -> None:
    for number, piece in enumerate(pieces_of(text)):
        if number:
            parts.append(MARK)
        if piece:
            parts.append(piece)


@lru_cache(maxsize=2048)
def pieces_of(text: str) -> tuple[str, ...]:
    """The text cut behind each of its figures: joined by a mark, each figure is followed by it."""
    if not any(character.isdigit() for character in text):
        return (text,)
    pieces, start = [], 0
    for found in _NUMBER.finditer(text):
        if found["quoted"] is not None:
            continue
        pieces.append(text[start : found.end()])
        start = found.end()
    return (*pieces, text[start:])


def marked(text: str, mark: str) -> str:
    """The text with the mark behind each of its figures."""
    pieces = pieces_of(text)
    return text if len(pieces) == 1 else f" {mark}".join(pieces)


def counted(figure: str, value: object, one: str, many: str) -> str:
    """The figure with the noun of what is counted: "1 service", "7 services", "7개"."""
    noun = one if value == 1 and not isinstance(value, bool) else many
    if not noun:
        return figure
    glued = "가" <= noun[0] <= "힣" or noun[0] == "%"
    return f"{figure}{noun}" if glued else f"{figure} {noun}"
