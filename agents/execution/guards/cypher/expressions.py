"""Expressions of Cypher: read by their grammar, written again, and each known for what it holds."""

import re
from collections.abc import Callable
from typing import Final

from agents.execution.guards.cypher.cursor import CANNOT_BE_READ, KEYWORDS, RESERVED, Cursor
from agents.execution.guards.cypher.scope import VALUE, Blocked, Catalogue, Kind, Sort, joined
from agents.execution.guards.cypher.tokens import Sort as Word
from agents.execution.guards.cypher.tokens import Token
from agents.execution.guards.verdict import NOT_AVAILABLE

_LONGEST_PATTERN: Final = 200
_REPEATED_TWICE: Final = re.compile(r"[*+}]\)+[?+]?[*+{]")
"""A repetition of a repetition, which some engines take for ever to match."""


def plain(kind: Kind) -> None:
    """Raises `Blocked` for what holds an entity."""
    if kind.sort is not Sort.VALUE:
        raise Blocked("an entity where a value is needed", NOT_AVAILABLE, "Name one of its properties.")


class Expressions(Cursor):
    """Reads expressions. What lies beyond them is read by others: `patterns` reads a pattern that stands as a
    predicate, `block` what stands in `exists { … }`, `call` the call of a function."""

    def __init__(self, tokens: list[Token], catalogue: Catalogue, *, regex: bool) -> None:
        super().__init__(tokens, catalogue)
        self._regex = regex
        self.patterns: Callable[[], None]
        self.block: Callable[[], None]
        self.call: Callable[[str], Kind]

    def expression(self) -> Kind:
        """Read one expression; what it holds."""
        kind = self._conjunction()
        while self.took("or", "xor"):
            self._conjunction()
            kind = VALUE
        return kind

    def value(self) -> None:
        """Read an expression that holds no entity; raises `Blocked` for one that does."""
        plain(self.expression())

    def _conjunction(self) -> Kind:
        kind = self._negation()
        while self.took("and"):
            self._negation()
            kind = VALUE
        return kind

    def _negation(self) -> Kind:
        if not self.took("not"):
            return self._comparison()
        while self.took("not"):
            pass
        self._comparison()
        return VALUE

    def _comparison(self) -> Kind:
        kind = self._sum()
        while True:
            if self.took("=", "<>", "<", ">", "<=", ">=", "in"):
                self._sum()
            elif self.took("starts", "ends"):
                self.take("with")
                plain(kind)
                plain(self._sum())
            elif self.took("contains"):
                plain(kind)
                plain(self._sum())
            elif self.took("is"):
                self.took("not")
                self.take("null")
            elif self.sees("=~"):
                self._regular(kind)
            else:
                return kind
            kind = VALUE

    def _regular(self, kind: Kind) -> None:
        pattern = self.at(1)
        if (
            not self._regex
            or pattern is None
            or pattern.sort is not Word.TEXT
            or len(pattern.text) > _LONGEST_PATTERN
            or _REPEATED_TWICE.search(pattern.text)
        ):
            raise Blocked("a regular expression", "Regular expressions are not allowed here.")
        plain(kind)
        self.take()
        self.take()

    def _sum(self) -> Kind:
        kind = self._product()
        while self.took("+", "-"):
            plain(kind)
            plain(self._product())
            kind = VALUE
        return kind

    def _product(self) -> Kind:
        kind = self._unary()
        while self.took("*", "/", "%", "^"):
            plain(kind)
            plain(self._unary())
            kind = VALUE
        return kind

    def _unary(self) -> Kind:
        if self.took("-", "+"):
            while self.took("-", "+"):
                pass
            plain(self._postfix())
            return VALUE
        return self._postfix()

    def _postfix(self) -> Kind:
        kind = self._primary()
        while True:
            if self.took("."):
                if kind.sort is Sort.ENTITIES:
                    raise Blocked("a property of a list", NOT_AVAILABLE)
                property_name = self._property_name()
                if kind.sort is Sort.ENTITY:
                    self.catalogue.readable(property_name, kind)
                kind = VALUE
            elif self.sees("["):
                kind = self._indexed(kind)
            elif kind.sort is Sort.ENTITY and self.sees("{"):
                kind = self._projected(kind)
            else:
                return kind

    def _projected(self, kind: Kind) -> Kind:
        """`n {.name, id: n.id}`, written as a map: one engine knows no projections."""
        entity = self.out.pop()
        self.take("{")
        while not self.took("}"):
            if self.sees("."):
                self.skip()
                name = self._property_name()
                self.catalogue.readable(name, kind)
                self.out += [":", entity, ".", self.out[-1]]
            else:
                self._property_name()
                self.take(":")
                self.value()
            if not self.sees("}"):
                self.take(",")
        return VALUE

    def _property_name(self) -> str:
        token = self.at()
        if token is None or token.sort not in (Word.WORD, Word.QUOTED):
            raise Blocked("no property after a dot", CANNOT_BE_READ)
        self.take()
        return token.name

    def _indexed(self, kind: Kind) -> Kind:
        """`list[i]` and `list[i..k]`; an entity's properties are not read by index."""
        if kind.sort is Sort.ENTITY:
            raise Blocked("a property by index", NOT_AVAILABLE)
        self.skip()
        self.out[-1] += "["  # one engine's grammar takes no blank before an index
        if not self.sees(".."):
            self.value()
        sliced = self.took("..")
        if sliced and not self.sees("]"):
            self.value()
        self.take("]")
        return kind if sliced or kind.sort is Sort.VALUE else Kind(Sort.ENTITY, kind.labels)

    # Primaries

    def _primary(self) -> Kind:
        token = self.at()
        if token is None:
            raise Blocked("ends too soon", CANNOT_BE_READ)
        if token.sort is Word.VALUE:
            return self._bound(token)
        if token.sort in (Word.NUMBER, Word.TEXT):
            self.take()
            return VALUE
        if token.sort is Word.SIGN:
            return self._bracketed()
        if token.sort is Word.WORD and self.sees("(", ahead=1):
            return self.call(token.name)
        if self.sees("true", "false", "null"):
            self.take()
            return VALUE
        if self.sees("case"):
            return self._case()
        if self.sees("exists", "count") and self.sees("{", ahead=1):
            self.take()
            self.block()
            return VALUE
        return self._named(token)

    def _bound(self, token: Token) -> Kind:
        name = token.text[1:]
        if name.lower().startswith(RESERVED):
            raise Blocked(f"the value {name}", NOT_AVAILABLE)
        self.values[name] = None
        self.take()
        return VALUE

    def _named(self, token: Token) -> Kind:
        if token.sort is Word.WORD and token.name in KEYWORDS:
            raise Blocked(f"the word {token.name}", "Only reading is allowed.")
        if token.name not in self.scope:
            raise Blocked(f"the word {token.name}, which is no name of this query", NOT_AVAILABLE)
        self.spelt(token)
        self.take()
        return self.scope[token.name]

    def _bracketed(self) -> Kind:
        if self.sees("(") and self._is_pattern():
            self.patterns()
            return VALUE
        if self.took("("):
            kind = self.expression()
            self.take(")")
            return kind
        if self.sees("{"):
            self.map(None)
            return VALUE
        if self.sees("["):
            return self._list()
        found = self.at()
        raise Blocked(f"the sign {found.text if found else ''}", CANNOT_BE_READ)

    def _is_pattern(self) -> bool:
        """Does a relation follow the closing parenthesis?"""
        depth, ahead = 0, 0
        while (token := self.at(ahead)) is not None:
            depth += (token.text == "(") - (token.text == ")") if token.sort is Word.SIGN else 0
            ahead += 1
            if depth == 0:
                break
        if self.sees("-", ahead=ahead):
            return self.sees("[", "-", ">", ahead=ahead + 1)
        return self.sees("<", ahead=ahead) and self.sees("-", ahead=ahead + 1)

    def map(self, kind: Kind | None) -> None:
        """`{name: value, …}`; in a pattern the names are properties of that kind."""
        self.take("{")
        while not self.took("}"):
            name = self._property_name()
            if kind is not None:
                self.catalogue.readable(name, kind)
            self.take(":")
            self.value()
            if not self.sees("}"):
                self.take(",")

    def _list(self) -> Kind:
        if self.sees("(", ahead=1):
            raise Blocked("a pattern comprehension", NOT_AVAILABLE)
        self.take("[")
        if self.sees("in", ahead=1):
            return self._comprehension()
        kinds = []
        while not self.took("]"):
            kinds.append(self.expression())
            if not self.sees("]"):
                self.take(",")
        found = joined(kinds)
        return VALUE if found.sort is Sort.VALUE else Kind(Sort.ENTITIES, found.labels)

    def _comprehension(self) -> Kind:
        with_scope = dict(self.scope)
        kind = self.element()
        if self.took("where"):
            self.expression()
        if self.took("|"):
            made = self.expression()
            kind = VALUE if made.sort is Sort.VALUE else Kind(Sort.ENTITIES, made.labels)
        self.scope = with_scope
        self.take("]")
        return kind

    def element(self) -> Kind:
        """`x IN list`: brings x into scope; what the list holds."""
        name = self.name()
        self.take("in")
        kind = self.expression()
        self.scope[name] = VALUE if kind.sort is Sort.VALUE else Kind(Sort.ENTITY, kind.labels)
        return kind

    def _case(self) -> Kind:
        self.take("case")
        if not self.sees("when"):
            self.expression()
        kinds = []
        while self.took("when"):
            self.expression()
            self.take("then")
            kinds.append(self.expression())
        if not kinds:
            raise Blocked("a CASE without WHEN", CANNOT_BE_READ)
        if self.took("else"):
            kinds.append(self.expression())
        self.take("end")
        return joined(kinds)
