"""A cursor over the tokens of a Cypher statement that writes what it has read."""

from typing import Final

from agents.execution.guards.cypher.scope import Blocked, Catalogue, Kind
from agents.execution.guards.cypher.tokens import Sort as Word
from agents.execution.guards.cypher.tokens import Token

RESERVED: Final = "opsloom_"
"""Values and names that begin so belong to the guard."""
CANNOT_BE_READ: Final = "The query cannot be read."


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYWORDS: Final = _words(
    """
        match optional where return with order skip limit unwind by distinct as and or xor not in is null starts
        ends contains case when then else end asc desc ascending descending true false shortest all trail acyclic
        union exists any none single create merge set delete detach remove drop copy load call install uninstall
        attach use alter export import begin commit rollback checkpoint explain profile foreach yield from to
        comment macro update insert transaction analyze force using index scan constraint grant revoke deny show
        terminate start stop
        """
)
"""No name of a statement may be spelt like one of these, unless it is quoted."""


class Cursor:
    """Reads token by token. `out` is the statement as it may run, `scope` the names in sight, `values` the names of the
    values it waits for."""

    def __init__(self, tokens: list[Token], catalogue: Catalogue) -> None:
        self._tokens = tokens
        self._position = 0
        self.catalogue = catalogue
        self.out: list[str] = []
        self.scope: dict[str, Kind] = {}
        self.values: dict[str, None] = {}
        self._spellings: dict[str, str] = {}

    @property
    def done(self) -> bool:
        """Is everything read?"""
        return self._position >= len(self._tokens)

    def at(self, ahead: int = 0) -> Token | None:
        """The token so far ahead, if there is one."""
        index = self._position + ahead
        return self._tokens[index] if index < len(self._tokens) else None

    def sees(self, *texts: str, ahead: int = 0) -> bool:
        """Is the next token one of these signs or keywords (in lower case)?"""
        token = self.at(ahead)
        return token is not None and token.sort in (Word.WORD, Word.SIGN) and token.text.lower() in texts

    def sees_number(self) -> bool:
        """Is a number next?"""
        token = self.at()
        return token is not None and token.sort is Word.NUMBER

    def take(self, *texts: str) -> str:
        """Read one of these and write it; raises `Blocked` when something else stands there."""
        if texts and not self.sees(*texts):
            found = self.at()
            raise Blocked(
                f"{found.text if found else 'the end'} where {texts[0]} was expected", CANNOT_BE_READ
            )
        token = self._tokens[self._position]
        self._position += 1
        self.out.append(token.text)
        return token.text.lower()

    def took(self, *texts: str) -> bool:
        """Read and write one of these if it is next."""
        if self.sees(*texts):
            self.take()
            return True
        return False

    def skip(self) -> Token:
        """Read a token without writing it."""
        token = self.at()
        if token is None:
            raise Blocked("ends too soon", CANNOT_BE_READ)
        self._position += 1
        return token

    def name(self) -> str:
        """Read a name somebody chose and write it; keywords and reserved names are none."""
        token = self.at()
        if token is None or token.sort not in (Word.WORD, Word.QUOTED):
            raise Blocked("no name where one was expected", CANNOT_BE_READ)
        if token.name.startswith(RESERVED) or (token.sort is Word.WORD and token.name in KEYWORDS):
            raise Blocked(f"the word {token.name}", "Only reading is allowed.")
        self.spelt(token)
        self.take()
        return token.name

    def spelt(self, token: Token) -> None:
        """To one engine `a` and `A` are one name, to another two: only one of them may be in a statement."""
        spelling = token.text.strip("`")
        if self._spellings.setdefault(token.name, spelling) != spelling:
            raise Blocked(f"the name {spelling} in two spellings", CANNOT_BE_READ)
