"""Made-up rows on which a condition is tried out."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

_MOST_ROWS = 240
_NUMBERS: tuple[Any, ...] = (-8_123_456_789, -1, 0, 1, 2, 9_876_543_210)
_TEXTS: tuple[Any, ...] = ("", "~zq~", "0001-01-01 00:00:00", "9998-12-31 23:59:59", "1")

Row = Mapping[str, Any]


def rows_for(symbols: Sequence[str], literals: Iterable[Any]) -> Iterator[Row]:
    """Rows that give every symbol the values at which a condition over these literals could turn."""
    values: list[Any] = [None, *_NUMBERS, *_TEXTS]
    for literal in literals:
        values.append(literal)
        if isinstance(literal, str):
            values += [literal + "~", literal.replace("%", "").replace("_", "x")]
        else:
            values += [literal - 1, literal + 1]
    values = list(dict.fromkeys(values))[:60]
    if len(values) ** len(symbols) <= _MOST_ROWS:
        for combination in product(values, repeat=len(symbols)):
            yield dict(zip(symbols, combination, strict=True))
        return
    for value in values:
        yield dict.fromkeys(symbols, value)
    chance = random.Random(7)  # the same rows each time: a verdict must be repeatable
    for _ in range(_MOST_ROWS):
        yield {symbol: chance.choice(values) for symbol in symbols}
