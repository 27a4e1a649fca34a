"""From where the next owner of a partition has to look for answers that were published and not marked."""

from __future__ import annotations

from agents.aggregation.published import PublishedAnswers


def _found(start: int, end: int, found: set[bytes], marked: set[bytes] = frozenset()) -> PublishedAnswers:  # type: ignore[assignment]
    return PublishedAnswers(start, end, found, marked.__contains__)


def test_everything_is_marked_when_nothing_was_found() -> None:
    """A clean stop leaves nothing to look for."""
    answers = _found(10, 10, set())

    answers.acknowledged(15)

    assert answers.at == 15


def test_answers_found_are_not_published_again() -> None:
    """Marked or not."""
    answers = _found(10, 12, {b"a", b"b"}, {b"a"})

    assert [answers.holds(trace) for trace in ("a", "b", "c")] == [True, True, False]


def test_search_begins_where_it_began_until_each_answer_found_has_its_mark() -> None:
    """A second crash half-way through the input of the first must find them again."""
    answers = _found(10, 13, {b"a", b"b", b"c"}, {b"b"})

    answers.acknowledged(20)
    answers.marked(["a", "x"])
    assert answers.at == 10

    answers.marked(["c"])
    assert answers.at == 20


def test_answers_that_are_all_marked_need_not_be_read_again() -> None:
    """The search moves on at once."""
    assert _found(10, 13, {b"a"}, {b"a"}).at == 13


def test_acknowledgements_out_of_order_do_not_move_back() -> None:
    """A later batch may be acknowledged first."""
    answers = _found(0, 0, set())
    answers.acknowledged(9)

    answers.acknowledged(5)

    assert answers.at == 9


def test_answer_stays_known_after_its_mark() -> None:
    """The same event may be read once more."""
    answers = _found(0, 1, {b"a"})

    answers.marked(["a"])

    assert answers.holds("a")
