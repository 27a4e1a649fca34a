"""Clauses of Cypher: the reading ones, a few of them, and what is in sight after each."""

from functools import partial
from typing import Final

from agents.execution.guards.cypher.cursor import CANNOT_BE_READ
from agents.execution.guards.cypher.functions import call
from agents.execution.guards.cypher.patterns import MAX_HOPS, CypherDialect, Patterns, Tenant
from agents.execution.guards.cypher.scope import VALUE, Blocked, Catalogue, Kind, Sort
from agents.execution.guards.cypher.tokens import Sort as Word
from agents.execution.guards.cypher.tokens import Token

__all__ = ["MAX_CLAUSES", "MAX_HOPS", "Clauses", "CypherDialect", "Tenant"]

MAX_CLAUSES: Final = 16
"""A text that doubles with every WITH stays small with so few of them."""


_NONE_AFTER: Final = ("(", "[", ".", ":", "]->", "]-")
_NONE_BEFORE: Final = (",", ")", "]", ".", ":", "-[", "<-[")


class Clauses(Patterns):
    """Reads one query and writes it again, whole."""

    def __init__(
        self,
        tokens: list[Token],
        catalogue: Catalogue,
        tenant: Tenant | None,
        row_cap: int,
        dialect: CypherDialect,
    ) -> None:
        super().__init__(tokens, catalogue, tenant, dialect)
        self._row_cap = row_cap
        self._read.block = self._block
        self._read.call = partial(call, self._read)
        self._clauses = 0

    @property
    def text(self) -> str:
        """The statement as it may run."""
        text, before = "", "("
        for piece in self._read.out:
            # As people write it: one engine's grammar knows no blank before a comma.
            apart = not before.endswith(_NONE_AFTER) and not piece.startswith(_NONE_BEFORE)
            text += f" {piece}" if apart else piece
            before = piece
        return text

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the values it waits for, in order of appearance."""
        return tuple(self._read.values)

    def query(self) -> None:
        """Read everything; raises `Blocked`."""
        read = self._read
        if not read.sees("match", "optional", "unwind", "with", "return"):
            raise Blocked("does not begin with a reading clause", "Only reading is allowed.")
        while True:
            read.scope, self._apart = {}, 0
            self._single()
            if not read.took("union"):
                break
            read.took("all")
        if not read.done:
            found = read.at()
            raise Blocked(
                f"{found.text if found else ''} after the end",
                "Exactly one query is allowed, and it ends with RETURN.",
            )

    def _single(self) -> None:
        read = self._read
        while True:
            self._clauses += 1
            if self._clauses > MAX_CLAUSES:
                raise Blocked("too many clauses", f"At most {MAX_CLAUSES} clauses are allowed.")
            if read.sees("optional", "match"):
                self._match()
            elif read.took("unwind"):
                self._unwind()
            elif read.took("with"):
                self._projection()
                if read.took("where"):
                    read.expression()
            elif read.took("return"):
                self._projection(last=True)
                return
            else:
                found = read.at()
                if found is None:
                    raise Blocked("returns nothing", "The query returns nothing.")
                raise Blocked(f"the clause {found.text}", "Only reading is allowed.")

    def _match(self) -> None:
        read = self._read
        if read.took("optional") and not read.sees("match"):
            raise Blocked("OPTIONAL without MATCH", CANNOT_BE_READ)
        read.take("match")
        self._patterns()
        if read.took("where"):
            read.expression()

    def _unwind(self) -> None:
        self._multiply(2)
        kind = self._read.expression()
        self._read.take("as")
        made = VALUE if kind.sort is Sort.VALUE else Kind(Sort.ENTITY, kind.labels)
        self._read.scope[self._read.name()] = made

    def _projection(self, *, last: bool = False) -> None:
        """The items of a WITH or RETURN; afterwards only they are in scope."""
        read = self._read
        read.took("distinct")
        kept: dict[str, Kind] = {}
        while True:
            if read.took("*"):
                kept |= read.scope
            else:
                self._item(kept)
            if not read.took(","):
                break
        before, read.scope = read.scope, {**read.scope, **kept}
        if read.took("order"):
            read.take("by")
            while True:
                read.expression()
                read.took("asc", "desc", "ascending", "descending")
                if not read.took(","):
                    break
        if read.took("skip"):
            self._count()
        self._limit(last=last)
        read.scope = before if last else kept

    def _item(self, kept: dict[str, Kind]) -> None:
        read = self._read
        alone = read.at()
        kind = read.expression()
        if read.took("as"):
            kept[read.name()] = kind
        elif alone is not None and alone.sort in (Word.WORD, Word.QUOTED) and alone.name in read.scope:
            kept[alone.name] = read.scope[alone.name]

    def _limit(self, *, last: bool) -> None:
        read = self._read
        ceiling = str(self._row_cap + 1)
        if not read.took("limit"):
            if last:
                read.out += ["LIMIT", ceiling]
            return
        own = read.at()
        self._count()
        if last and own is not None and own.sort is Word.NUMBER and int(own.text) > self._row_cap + 1:
            read.out[-1] = ceiling

    def _count(self) -> None:
        token = self._read.at()
        if token is not None and token.sort is Word.VALUE:
            self._read.expression()
        elif token is not None and token.sort is Word.NUMBER and token.text.isdigit():
            self._read.take()
        else:
            raise Blocked("a LIMIT or SKIP that is no number", "LIMIT and SKIP take a whole number.")

    def _block(self) -> None:
        """`{ MATCH … WHERE … }`, or the pattern alone, whose names end with it."""
        read = self._read
        before = dict(read.scope)
        read.take("{")
        if read.sees("("):
            read.out.append("MATCH")
            self._patterns()
            if read.took("where"):
                read.expression()
        while not read.took("}"):
            if not read.sees("match", "optional"):
                raise Blocked("a block that does not match", "Only MATCH and WHERE may stand in a block.")
            self._match()
        read.scope = before
