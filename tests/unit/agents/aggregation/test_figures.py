"""Figures as people read them, and text that cannot do harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.clean import as_markdown, cell, line
from agents.aggregation.figures import written
from schemas.calls import Unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, Unit.BYTES, "0 B"),
        (1023, Unit.BYTES, "1023 B"),
        (1024, Unit.BYTES, "1.0 KiB"),
        (25_125_558_681, Unit.BYTES, "23.4 GiB"),
        (1024**3 - 1, Unit.BYTES, "1.0 GiB"),
        (-2048, Unit.BYTES, "-2.0 KiB"),
        (75.31, Unit.PERCENT, "75.3%"),
        (100, Unit.PERCENT, "100%"),
        (0.043, Unit.PERCENT, "0.04%"),
        (0, Unit.SECONDS, "0 s"),
        (0.00025, Unit.SECONDS, "0.25 ms"),
        (0.25, Unit.SECONDS, "250 ms"),
        (12.34, Unit.SECONDS, "12.3 s"),
        (200, Unit.SECONDS, "3 min 20 s"),
        (7_500, Unit.SECONDS, "2 h 5 min"),
        (86_400, Unit.SECONDS, "1 d"),
        (273_600, Unit.SECONDS, "3 d 4 h"),
        (1_790_000_000, Unit.TIMESTAMP, "2026-09-21 14:13:20 UTC"),
        (1e300, Unit.TIMESTAMP, "9999-12-31 23:59:59 UTC"),
        (1234567, Unit.NUMBER, "1,234,567"),
        (1234.5, Unit.NUMBER, "1,234.5"),
        (0.00123, Unit.NUMBER, "0.00123"),
        (8080, Unit.TEXT, "8080"),
        (0.1 + 0.2, Unit.TEXT, "0.3"),
        (None, Unit.BYTES, "unknown"),
        (float("inf"), Unit.NUMBER, "unknown"),
        (True, Unit.NUMBER, "yes"),
        ("2026-01-01", Unit.TIMESTAMP, "2026-01-01"),
    ],
)
def test_value_is_written_in_its_unit(value: object, unit: Unit, text: str) -> None:
    """One way to write a figure, wherever it is shown."""
    assert written(value, unit) == text


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none()), st.sampled_from(Unit))
def test_any_value_has_a_printable_text(value: object, unit: Unit) -> None:
    """Whatever a tool returns, writing it neither fails nor steers a terminal."""
    assert written(value, unit).isprintable()


@given(st.text(alphabet=st.characters(categories=("L", "N", "Zs", "Cc", "Cf", "Cs", "P"))))
def test_line_is_printable_and_stays_so(text: str) -> None:
    """Cleaning what is clean changes nothing."""
    clean = line(text)

    assert clean.isprintable()
    assert line(clean) == clean
    assert cell(text) == clean


def test_line_keeps_letters_of_any_script() -> None:
    """Safe is not the same as ASCII."""
    assert line("결제 서비스 é 日本\tok") == "결제 서비스 é 日本 ok"


def test_line_is_cut_to_its_limit() -> None:
    """A cut shows itself."""
    assert line("x" * 50, 10) == "x" * 9 + "…"


def test_markdown_is_escaped() -> None:
    """No character keeps a meaning."""
    assert as_markdown("a_b `c` [d](e) <f>") == "a\\_b \\`c\\` \\[d\\](e) \\<f\\>"
