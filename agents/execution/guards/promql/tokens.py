"""PromQL as tokens. What is not listed here is no token, and a text with it is refused."""

import re
from typing import NamedTuple


class Token(NamedTuple):
    kind: str
    """name, number, duration, text, operator or mark."""
    text: str


class NotPromQL(ValueError):
    """The text holds something that is no token of the allowed language."""


_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![A-Za-z0-9_.]))
    | (?P<number>(?:0x[0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_:]*)
    | (?P<text>"(?:[^"\\\n]|\\[abfnrtv\\"'0-7xuU])*"|'(?:[^'\\\n]|\\[abfnrtv\\"'0-7xuU])*')
    | (?P<operator>==|!=|>=|<=|=~|!~|[-+*/%^<>=@])
    | (?P<mark>[(){}\[\],:])
    """,
    re.VERBOSE,
)
LONGEST = 4_000
MOST_TOKENS = 600


def tokens_of(query: str) -> list[Token]:
    """All tokens but spaces. Comments, backquoted texts and other alphabets outside of quotes are none.

    Raises `NotPromQL`.
    """
    if not query.strip() or len(query) > LONGEST:
        raise NotPromQL("an empty query, or one that is too long")
    tokens: list[Token] = []
    at = 0
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None:
            raise NotPromQL(f"a character at {at} that the allowed language does not have")
        at = found.end()
        kind = found.lastgroup or ""
        if kind != "space":
            tokens.append(Token(kind, found[0]))
            if len(tokens) > MOST_TOKENS:
                raise NotPromQL("more parts than allowed")
    return tokens
