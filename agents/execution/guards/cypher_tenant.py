"""Binds a Cypher statement to one tenant: every node pattern, and every node in the middle of a path, must carry it."""

from collections.abc import Iterable

from agents.execution.guards.cypher_tokens import Sort, Token
from agents.execution.guards.sql_tables import TENANT_PLACEHOLDER

_EDGE, _NODE = "opsloom_e", "opsloom_n"
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def bind_nodes(
    tokens: list[Token], nodes: Iterable[int], hops: Iterable[int], column: str, tenant: str | None
) -> list[Token]:
    """The tokens with the tenant in each node pattern (`nodes`: where their parentheses open) and in each path of
    variable length (`hops`: where their upper bounds stand). Without a `tenant` the value is waited for."""
    value = Token(Sort.VALUE, f"${TENANT_PLACEHOLDER}", True) if tenant is None else _text(tenant)
    before: dict[int, list[Token]] = {}
    for opening in nodes:
        at, is_open = _place(tokens, opening)
        pair = [_word(column), _sign(":"), value]
        if not is_open:
            pair = [Token(Sort.SIGN, "{", True), *pair, _sign("}")]
        elif tokens[at].text != "}":
            pair.append(_sign(","))
        before[at] = pair
    for bound in hops:
        before[bound + 1] = [
            Token(Sort.SIGN, "(", True), _word(_EDGE, spaced=False), _sign(","), _word(_NODE), _sign("|", spaced=True),
            _word("WHERE"), _word(_NODE), _sign("."), _word(column, spaced=False), _sign("=", spaced=True), value,
            _sign(")"),
        ]  # fmt: skip
    return [
        token for index, own in enumerate(tokens) for token in (*before.get(index, ()), own)
    ]  # a statement never ends inside a pattern, so nothing is left over


def _place(tokens: list[Token], opening: int) -> tuple[int, bool]:
    """Where the tenant goes in the pattern that opens here: inside its map if it has one, else before its end."""
    depth = 0
    for index in range(opening, len(tokens)):
        text = tokens[index].text if tokens[index].sort is Sort.SIGN else ""
        if text == "{" and depth == 1:
            return index + 1, True
        depth += (text in _CLOSING) - (text in _CLOSING.values())
        if depth == 0:
            return index, False
    raise AssertionError("the tokenizer lets no open parenthesis through")


def _word(text: str, *, spaced: bool = True) -> Token:
    return Token(Sort.WORD, text, spaced)


def _sign(text: str, *, spaced: bool = False) -> Token:
    return Token(Sort.SIGN, text, spaced)


def _text(value: str) -> Token:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return Token(Sort.TEXT, f"'{quoted}'", True)
