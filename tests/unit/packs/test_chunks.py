"""Documents are cut into pieces that say what they are about and lose no word."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from packs.filling.chunks import MAX_CHARACTERS, chunks_of

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)
PARAGRAPHS = st.lists(st.lists(WORDS, min_size=1, max_size=400).map(" ".join), max_size=8)


def test_each_piece_repeats_the_way_to_it() -> None:
    """Name and headings stand before the text; a heading that is in the name already is left out."""
    text = "# Runbook\n\nIntro.\n\n## Dead letters\n\n### Redrive\n\nDo it.\n\n## Disk\n\nFree some."

    pieces = [chunk.text for chunk in chunks_of("opsloom runbook", text)]

    assert pieces == [
        "opsloom runbook:\nIntro.",
        "opsloom runbook › Dead letters › Redrive:\nDo it.",
        "opsloom runbook › Disk:\nFree some.",
    ]


def test_underlined_headings_are_headings_too() -> None:
    """reStructuredText as it stands in many READMEs."""
    text = "Thing\n=====\n\nHello.\n\nInstall\n-------\n\nRun pip."

    assert [chunk.text for chunk in chunks_of("x README", text)] == [
        "x README › Thing:\nHello.",
        "x README › Thing › Install:\nRun pip.",
    ]


def test_a_hash_in_code_is_no_heading() -> None:
    """Comments in fenced code stay where they are."""
    [piece] = chunks_of("x", "```sh\n# not a heading\nls\n```")

    assert "# not a heading" in piece.text


def test_badges_and_comments_are_left_out() -> None:
    """What nobody reads is not found either."""
    text = "[![build](https://x/badge.svg)](https://x)\n<!-- hidden -->\n<p align='center'>Shown</p>"

    [piece] = chunks_of("x", text)

    assert "badge" not in piece.text
    assert "hidden" not in piece.text
    assert "Shown" in piece.text


@given(PARAGRAPHS)
def test_no_piece_is_too_long_and_no_word_is_lost(paragraphs: list[str]) -> None:
    """Whatever the paragraphs, all words come out in order, in numbered pieces of bounded length."""
    pieces = chunks_of("a name", "\n\n".join(paragraphs))

    assert all(len(piece.text) <= MAX_CHARACTERS for piece in pieces)
    assert [piece.page_number for piece in pieces] == list(range(1, len(pieces) + 1))
    bodies = [piece.text.partition("\n")[2] for piece in pieces]
    assert " ".join(bodies).split() == " ".join(paragraphs).split()


@given(st.text(max_size=3_000))
def test_any_text_can_be_cut(text: str) -> None:
    """No text breaks it or makes a piece too long or empty."""
    for piece in chunks_of("name", text):
        assert len(piece.text) <= MAX_CHARACTERS
        assert re.search(r"\S", piece.text.partition("\n")[2])
