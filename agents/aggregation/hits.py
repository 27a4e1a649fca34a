"""Hits of a document search as an answer tells them: those in the language of the question first, short."""

import re
from typing import Final

from agents.aggregation.voice import Voice
from schemas.calls import ToolOutput
from schemas.word import Json

TEXT_COLUMN: Final = "chunk_text"
NAME_COLUMN: Final = "document_name"
MAX_TOLD_CHARACTERS: Final = 320
"""Of a hit in a sentence of the answer; the block has more of it."""
_HANGUL: Final = re.compile(r"[가-힣]")
_LETTERS: Final = re.compile(r"[A-Za-z]")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?。])\s")
_MOSTLY: Final = 3
"""A text is Korean from one Hangul syllable in so many Latin letters: a syllable holds two or three."""


def is_korean(text: str) -> bool:
    """Whether a text is written in Korean, names and commands in it aside."""
    syllables = len(_HANGUL.findall(text))
    return syllables > 0 and syllables * _MOSTLY >= len(_LETTERS.findall(text))


def in_order(output: ToolOutput, voice: Voice) -> list[list[Json]]:
    """The hits, those in the voice's language before the others; within a language as the search ranked them."""
    at = _index(output, TEXT_COLUMN)
    if at is None or len(output.rows) < 2:
        return output.rows
    return sorted(output.rows, key=lambda row: _is_foreign(row, at, voice))


def told_hit(output: ToolOutput, name: str, voice: Voice) -> Json:
    """A column of the hit that the text tells of; None if there is no such column. A hit's text comes without the
    name of its document in front, which stands beside it, and ends at a sentence."""
    at = _index(output, name)
    if at is None:
        return None
    row = in_order(output, voice)[0]
    value = row[at] if at < len(row) else None
    if name != TEXT_COLUMN or not isinstance(value, str):
        return value
    named = _index(output, NAME_COLUMN)
    document = row[named] if named is not None and named < len(row) else None
    return shortened(without_name(value, document), MAX_TOLD_CHARACTERS)


def without_name(text: str, document: Json) -> str:
    """ "Runbook checkout › checkout is slow: …" of the document "Runbook checkout" → "checkout is slow: …"."""
    start = f"{document} › "
    return text[len(start) :] if isinstance(document, str) and text.startswith(start) else text


def shortened(text: str, limit: int) -> str:
    """The text up to the last sentence that ends within the limit; else cut at a blank and marked as cut."""
    text = " ".join(text.split()).replace("“", "‘").replace("”", "’")
    if len(text) <= limit:
        return text
    ends = [found.start() for found in _SENTENCE_END.finditer(text, 0, limit + 1)]
    if ends and ends[-1] >= limit // 3:
        return f"{text[: ends[-1]]} …"
    return f"{text[:limit].rpartition(' ')[0] or text[: limit - 1]} …"


def _is_foreign(row: list[Json], at: int, voice: Voice) -> bool:
    text = row[at] if at < len(row) else None
    return is_korean(text) is not voice.korean if isinstance(text, str) else True


def _index(output: ToolOutput, name: str) -> int | None:
    return next((index for index, column in enumerate(output.columns) if column.name == name), None)
