"""Cypher in tokens: enough of the grammar to say what every word of a statement is."""

import re
from dataclasses import dataclass
from enum import Enum

MAX_BYTES = 20_000
MAX_TOKENS = 4_000
MAX_NESTING = 40


class Sort(Enum):
    WORD = "word"
    QUOTED = "quoted"
    """A name in backquotes."""
    NUMBER = "number"
    TEXT = "text"
    VALUE = "value"
    """`$name`, a value to bind."""
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    sort: Sort
    text: str
    spaced: bool
    """White space or a comment stood before it."""

    @property
    def name(self) -> str:
        """A word or quoted name, in lower case and without its quotes."""
        return self.text.strip("`").lower()

    def is_word(self, *words: str) -> bool:
        """Is it one of these keywords (given in lower case)?"""
        return self.sort is Sort.WORD and self.text.lower() in words


_TOKEN = re.compile(
    r"""
      (?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<quoted>`[A-Za-z_][A-Za-z0-9_]*`)
    | (?P<value>\$[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z_]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>\.\.|<>|<=|>=|=~|[-+*/%^=<>()\[\]{},.:|;])
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens_of(statement: str) -> list[Token] | str:
    """The tokens without comments, or why the statement cannot be taken apart."""
    if len(statement.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return f"longer than {MAX_BYTES} bytes"
    tokens: list[Token] = []
    position, spaced, depth = 0, False, 0
    while position < len(statement):
        found = _TOKEN.match(statement, position)
        if found is None:
            return f"an unknown character at {position}"
        position = found.end()
        if found.lastgroup == "skip":
            spaced = True
            continue
        token = Token(Sort(found.lastgroup), found.group(), spaced)
        tokens.append(token)
        spaced = False
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if len(tokens) > MAX_TOKENS or not 0 <= depth <= MAX_NESTING:
            return "too many tokens or parentheses that do not fit"
    return "parentheses that do not close" if depth else tokens


def text_of(tokens: list[Token]) -> str:
    """The statement again, from its tokens alone."""
    return "".join((" " if token.spaced and index else "") + token.text for index, token in enumerate(tokens))
