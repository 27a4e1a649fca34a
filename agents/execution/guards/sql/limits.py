"""What is checked of a statement before any parser sees it: size, characters, tokens and nesting."""

import re

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from agents.execution.guards.verdict import Refuse, blocked

MAX_BYTES = 20_000
MAX_TOKENS = 4_000
MAX_PARENTHESES = 40
"""How deep parentheses and brackets may nest; a parser's recursion ends well beyond it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_HINT = re.compile(r"/\*[Mm]?[!+]")
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_COUNTED = {
    TokenType.SELECT: 80,
    TokenType.UNION: 60,
    TokenType.JOIN: 40,
    TokenType.DCOLON: 200,
    TokenType.NOT: 300,
    TokenType.CASE: 120,
    TokenType.INTERVAL: 120,
    TokenType.COLLATE: 40,
    TokenType.OVER: 80,
}
"""Words that cost a parser most, and how often each may stand."""


def sized_tokens(statement: str, dialect: Dialect) -> list[Token] | Refuse:
    """The statement's tokens; a refusal for what is too long or too deep to be parsed safely."""
    if len(statement.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return blocked(f"longer than {MAX_BYTES} bytes", "The query is too long.", "Ask a shorter query.")
    if _CONTROL.search(statement):
        return blocked("control characters or lone surrogates")
    if _HINT.search(statement):
        return blocked("a comment that an engine may execute or take as a hint")
    try:
        tokens = dialect.tokenize(statement)
    except (SqlglotError, RecursionError, ValueError, IndexError) as error:
        return blocked(f"cannot be tokenized: {type(error).__name__}", "The query cannot be read.")
    if len(tokens) > MAX_TOKENS:
        return blocked(f"more than {MAX_TOKENS} tokens", "The query is too long.", "Ask a shorter query.")
    depth = deepest = 0
    seen: dict[TokenType, int] = {}
    for token in tokens:
        if token.token_type in _COUNTED:
            seen[token.token_type] = seen.get(token.token_type, 0) + 1
        if token.token_type in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif token.token_type in _CLOSING:
            depth -= 1
    if deepest > MAX_PARENTHESES:
        return blocked(f"nested deeper than {MAX_PARENTHESES}", "The query is nested too deeply.")
    if any(count > _COUNTED[kind] for kind, count in seen.items()):
        return blocked("one word more often than a parser takes in its time", "The query is too long.")
    return tokens
