"""Words of a search, and how relevant a hit is."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.tools.relevance import MAX_WORDS, match_expression, relevance, weight, words_of


def test_words_that_every_text_has_are_left_out() -> None:
    assert words_of("What does the Runbook say about dead letters? Dead letters!") == [
        "runbook",
        "dead",
        "letters",
    ]


def test_if_nothing_else_is_left_they_count() -> None:
    assert words_of("to be or not to be") == ["to", "be", "or", "not"]


def test_korean_words_are_words_without_their_particle() -> None:
    """So that a piece that says 디스크를 is found by 디스크가."""
    assert words_of("디스크가 가득 찼을 때") == ["디스크", "가득", "찼", "때"]


@given(st.text(max_size=200))
def test_no_search_is_ever_syntax(text: str) -> None:
    """FTS5 takes every expression made of a text's words."""
    words = words_of(text)
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE chunks USING fts5(chunk_text)")

    assert len(words) <= MAX_WORDS
    if words:
        expression = " OR ".join(match_expression(word) for word in words)
        connection.execute("SELECT * FROM chunks WHERE chunks MATCH ?", (expression,)).fetchall()


def test_a_weight_is_the_one_fts5_uses() -> None:
    """A word once in a chunk of average length scores exactly its weight, so its relevance is 1."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE chunks USING fts5(chunk_text)")
    connection.executemany(
        "INSERT INTO chunks VALUES (?)",
        [(text,) for text in ("alpha beta", "gamma delta", "beta gamma", "rho tau")],
    )
    [(score,)] = connection.execute(
        "SELECT bm25(chunks) FROM chunks WHERE chunks MATCH '\"alpha\"'"
    ).fetchall()

    assert -score == pytest.approx(weight(1, 4))
    assert relevance(score, {"alpha": weight(1, 4)}) == pytest.approx(1.0)


def test_half_of_what_is_asked_is_half_relevant() -> None:
    assert relevance(-2.0, {"a": 2.0, "b": 2.0}) == pytest.approx(0.5)


def test_a_word_nobody_uses_counts_against_a_hit() -> None:
    assert relevance(-weight(1, 100), {"known": weight(1, 100), "unheard": weight(0, 100)}) == pytest.approx(
        0.5
    )


@given(st.floats(-1e6, 1e6), st.lists(st.floats(0, 1e3), max_size=5))
def test_relevance_lies_between_none_and_all(bm25: float, weights: list[float]) -> None:
    assert 0.0 <= relevance(bm25, {str(n): each for n, each in enumerate(weights)}) <= 1.0
