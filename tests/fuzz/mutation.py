"""Mutations of written cases: what a hostile hand makes of a text that was almost let through."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence

FUZZ_S = float(os.environ.get("OPSLOOM_FUZZ_S", "2"))
"""Seconds each guard is fuzzed for; the seed is printed with a failure."""
SLOWEST_S = 1.0
"""Processor time one case may take, on a machine that is busy with other things too."""

PIECES = (
    "'", '"', "`", "\\", "\x00", "\n", "--", "/*", "*/", ";", "(", ")", "[", "]", "{", "}", "$", ":", "::", "@", "@@",
    "%", "||", "#", "\u200b", "\u2028", "\ufeff", "；", "＇", "٠", "İ", "ﬀ", "é", "😀", " OR 1=1 ", " UNION SELECT ",
    " NULL ", "0x1", "1e999", "-1", "99999999999999999999", "*", ".", "..", ",", "tenant_id", "globex", "users", "AS",
    "LATERAL", "WITH a AS (SELECT 1)", "CASE WHEN 1 THEN 1 END", "NOT ", "IN", "EXISTS", "LIMIT 1", "FROM", "WHERE",
    "//", "?", "&", "=", "http://127.0.0.1/", "@127.0.0.1", "%2e", "[::1]", "0177.1", "\r\n", "MATCH (n)", "-[*]->",
)  # fmt: skip


def mutated(rng: random.Random, seeds: Sequence[str]) -> str:
    """One text made out of one or two seeds by a few changes."""
    text = rng.choice(seeds)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(text))
        to = min(len(text), at + rng.randint(0, 12))
        match rng.randint(0, 6):
            case 0:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[to:]
            case 2:
                text = text[:to] + text[at:]
            case 3:
                other = rng.choice(seeds)
                text = text[:at] + other[rng.randint(0, len(other)) :]
            case 4:
                text = text[:at] + text[at:to].swapcase() + text[to:]
            case 5:
                words = text.split(" ")
                first, second = rng.randrange(len(words)), rng.randrange(len(words))
                words[first], words[second] = words[second], words[first]
                text = " ".join(words)
            case _:
                text = text[:at] + "(" + text[at:to] + ")" + text[to:]
    return text


def for_a_while(seed: int = 0) -> Iterator[random.Random]:
    """A source of chance again and again, until the time is over. The seed changes with the length of the run."""
    rng = random.Random(seed or int(FUZZ_S * 1_000))
    ends_at = time.monotonic() + FUZZ_S
    while time.monotonic() < ends_at:
        yield rng
