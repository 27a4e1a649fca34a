"""What an answer holds with a reference to the call it came from: cells, facts and figures in its sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.answers import AnswerComposed, BlockKind
from schemas.calls import Unit

_MARK = re.compile(r"\[\d+\]")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-−]?\d+(?:\.\d+)?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_RELATIVE = 1e-6
"""Two ways to compute one figure may differ so much in floating point."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything an answer holds with a reference."""

    numbers: tuple[float, ...]
    texts: tuple[str, ...]
    """In lower case, with single blanks."""
    moments: tuple[float, ...]
    """Unix seconds."""
    found_nothing: bool
    """Tools were asked, and what they found is no row at all."""

    def holds(self, expected: Any, tolerance: float = 0.0) -> bool:
        """Is this among it? Numbers within the tolerance, moments to the second, texts as part of a longer one."""
        if isinstance(expected, bool):
            return self._number(float(expected), 0.0) or str(expected).lower() in self.texts
        if isinstance(expected, int | float):
            return self._number(float(expected), tolerance) or (expected == 0 and self.found_nothing)
        text = _plain(str(expected))
        if any(text in held for held in self.texts):
            return True
        at = _moment(str(expected))
        return at is not None and any(abs(held - at) <= max(tolerance, 1.0) for held in self.moments)

    def _number(self, expected: float, tolerance: float) -> bool:
        most = max(tolerance, _RELATIVE * abs(expected))
        return any(abs(held - expected) <= most for held in self.numbers)


def holdings_of(answer: AnswerComposed) -> Holdings:
    """What the answer holds with a reference. An answer without references holds nothing."""
    if not answer.references:
        return Holdings((), (), (), _found_nothing(answer))
    numbers: list[float] = []
    texts: list[str] = []
    moments: list[float] = []
    for value, unit in _cells(answer):
        if isinstance(value, bool):
            texts.append(str(value).lower())
            numbers.append(float(value))
        elif isinstance(value, int | float):
            numbers.append(float(value))
            if unit is Unit.TIMESTAMP:
                moments.append(float(value))
        elif isinstance(value, str):
            texts.append(_plain(value))
            moments += _moments(value)
            numbers += _alone(value)
    for sentence in _sentences(answer):
        texts.append(_plain(sentence))
        moments += _moments(sentence)
        numbers += [_number(found) for found in _NUMBER.findall(_MARK.sub(" ", sentence))]
    return Holdings(tuple(numbers), tuple(texts), tuple(moments), _found_nothing(answer))


def _cells(answer: AnswerComposed) -> Iterator[tuple[Any, Unit]]:
    for block in answer.blocks:
        if block.references and block.kind is not BlockKind.REFERENCES:
            for cells in block.rows:
                for column, value in zip(block.columns, cells, strict=False):
                    yield from _flat(value, column.unit)
    main = answer.main_result
    if main is not None and any(each.source == main.source for each in answer.references):
        for row in main.rows:
            for column, value in zip(main.columns, row, strict=False):
                yield from _flat(value, column.unit)
        for name, value in main.facts.items():
            yield from _flat(value, main.fact_units.get(name, Unit.NUMBER))


def _flat(value: Any, unit: Unit) -> Iterator[tuple[Any, Unit]]:
    if isinstance(value, list):
        for each in value:
            yield from _flat(each, unit)
    elif value is not None:
        yield value, unit


def _sentences(answer: AnswerComposed) -> Iterator[str]:
    """Lines of the answer's text that carry a mark, and markdown blocks that carry a reference."""
    for line in answer.text.splitlines():
        if _MARK.search(line):
            yield line
    for block in answer.blocks:
        if block.text and block.references:
            yield block.text


def _found_nothing(answer: AnswerComposed) -> bool:
    ran = [result for result in answer.results if result.status != "skipped"]
    return bool(ran) and not any(each.row_count for each in answer.references)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _alone(text: str) -> list[float]:
    """The number a text is, if it is nothing else."""
    found = _NUMBER.fullmatch(text.strip())
    return [_number(found[0])] if found else []


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _moments(text: str) -> list[float]:
    return [at for found in _MOMENT.findall(text) if (at := _moment(found)) is not None]


def _moment(text: str) -> float | None:
    if not _MOMENT.fullmatch(text.strip()):
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
