"""Cutting documents into pieces that a search can show: by heading, then by paragraph, ≤ 1,200 characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_CHARACTERS = 1_200
_HEADING_CHARACTERS = 160

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"\[?!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])(?:\](?:\([^)]*\)|\[[^\]]*\]))?")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_RST_IMAGE = re.compile(r"^\.\. (?:image|figure|\|[^|]+\| image)::.*\n(?:[ \t]+:.*\n?)*", re.MULTILINE)
_MARKDOWN_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_UNDERLINE = re.compile(r"^([=\-~^\"'*+#])\1{2,}\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")


class Chunk(NamedTuple):
    """`text` starts with the way to it: the document's name and the headings above it. Pages count from 1."""

    text: str
    page_number: int


class _Section(NamedTuple):
    headings: tuple[str, ...]
    body: str


def chunks_of(document_name: str, text: str) -> list[Chunk]:
    """The document in pieces. Each repeats its headings, so that one found alone says what it is about."""
    pieces = [
        f"{way}:\n{piece}"
        for section in _sections(_cleaned(text))
        for way in [_way(document_name, section.headings)]
        for piece in _pieces(section.body, MAX_CHARACTERS - len(way) - 2)
    ]
    return [Chunk(piece, number) for number, piece in enumerate(pieces, start=1)]


def _way(document_name: str, headings: tuple[str, ...]) -> str:
    names = [document_name, *(each for each in headings if each.lower() not in document_name.lower())]
    return " › ".join(names)[:_HEADING_CHARACTERS]


def _cleaned(text: str) -> str:
    """Without badges, images and markup that nobody reads."""
    text = text.replace("\r\n", "\n").replace("\x00", "")
    for pattern in (_COMMENT, _RST_IMAGE, _IMAGE, _TAG):
        text = pattern.sub("", text)
    return text


def _sections(text: str) -> Iterator[_Section]:
    """Split at Markdown headings and at underlined ones (reStructuredText, Setext); code is left alone."""
    headings: dict[int, str] = {}
    styles: list[str] = []
    body: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        level = title = None
        if not fenced:
            if match := _MARKDOWN_HEADING.match(line):
                level, title = len(match.group(1)), match.group(2)
            elif (match := _UNDERLINE.match(line)) and body and _is_title(body, line):
                if match.group(1) not in styles:
                    styles.append(match.group(1))
                level, title = styles.index(match.group(1)) + 1, body.pop().strip()
        if level is None or title is None:
            body.append(line)
            continue
        yield _Section(_path(headings), "\n".join(body))
        headings = {depth: kept for depth, kept in headings.items() if depth < level} | {level: title}
        body = []
    yield _Section(_path(headings), "\n".join(body))


def _is_title(body: list[str], underline: str) -> bool:
    """A line with text, alone in its paragraph, about as long as its underline."""
    title = body[-1].strip()
    alone = len(body) == 1 or not body[-2].strip() or bool(_UNDERLINE.match(body[-2]))
    return bool(title) and alone and len(underline.strip()) >= len(title) - 2


def _path(headings: dict[int, str]) -> tuple[str, ...]:
    return tuple(headings[level] for level in sorted(headings))


def _pieces(body: str, limit: int) -> Iterator[str]:
    """Whole paragraphs put together up to the limit; one that is longer is cut at lines, then at words."""
    piece = ""
    for paragraph in _paragraphs(body, limit):
        if piece and len(piece) + 2 + len(paragraph) > limit:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{paragraph}" if piece else paragraph
    if piece:
        yield piece


def _paragraphs(body: str, limit: int) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", body):
        rest = paragraph.strip("\n").rstrip()
        if not rest.strip() or _UNDERLINE.match(rest.strip()):
            continue
        while len(rest) > limit:
            cut = max(rest.rfind("\n", 0, limit), 0) or max(rest.rfind(" ", 0, limit), 0) or limit
            yield rest[:cut].rstrip()
            rest = rest[cut:].strip("\n")
        if rest.strip():
            yield rest
