"""The Cypher guard: one reading query over whitelisted labels, bounded paths, a LIMIT; deny by default.

Every word has to be something the guard knows: an allowed keyword, a whitelisted label, a listed property, an
allowed function, or a name the statement itself introduced. What is none of these is refused.
"""

from collections.abc import Mapping

from agents.execution.guards.cypher_tenant import bind_nodes
from agents.execution.guards.cypher_tokens import Sort, Token, text_of, tokens_of
from agents.execution.guards.sql_tables import TENANT_VALUE
from agents.execution.guards.verdict import NOT_AVAILABLE, Allow, Bounds, Refuse, Verdict, blocked
from schemas.errors import ErrorCode

MAX_HOPS = 20


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CLAUSES = frozenset({"match", "optional", "where", "return", "with", "order", "skip", "limit", "unwind"})
_KEYWORDS = _CLAUSES | _words(
    """
        by distinct as and or xor not in is null starts ends contains case when then else end asc desc
        ascending descending true false shortest all trail acyclic
        """
)
_FUNCTIONS = _words(
    """
        abs avg cast ceil coalesce collect concat contains count date floor id label labels length
        list_contains list_extract list_len lower max min nodes properties rels round size starts_with
        string sum tolower toupper trim upper
        """
)
_NEVER = _words(
    """
        create merge set delete detach remove drop copy load call install uninstall attach use alter export
        import begin commit rollback checkpoint explain profile foreach union yield from to comment macro
        update insert transaction analyze force
        """
)
"""Refused wherever they stand unquoted, even as the name of a variable."""


class _Blocked(Exception):
    def __init__(self, violation: str, reason: str | None = None) -> None:
        super().__init__(violation)
        self.verdict = blocked(violation, reason) if reason else blocked(violation)


def cypher_guard(
    statement: str, bounds: Bounds, bound: Mapping[str, str], tenant: str | None = None
) -> Verdict:
    """Judge one statement. Pure; never raises for any text.

    With a tenant column every node is bound to the tenant, those in the middle of a path too. Its name is written
    into the statement if it is given; else the statement waits for it under `TENANT_PLACEHOLDER`.
    """
    tokens = tokens_of(statement)
    if isinstance(tokens, str):
        return blocked(tokens, "The query cannot be read.")
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    try:
        reading = _Reading(tokens, bounds)
        values = reading.check()
        missing = [name for name in values if name not in bound]
        if missing:
            return Refuse(ErrorCode.INVALID_PARAMS, f"No value is given for {', '.join(missing)}.")
        if bounds.tenant_column is not None:
            tokens = bind_nodes(tokens, reading.nodes, reading.hops, bounds.tenant_column, tenant)
        return Allow(text_of(_capped(tokens, bounds.row_cap)), values)
    except _Blocked as refusal:
        return refusal.verdict


class _Reading:
    """One walk over the tokens, from left to right."""

    def __init__(self, tokens: list[Token], bounds: Bounds) -> None:
        self._tokens = tokens
        self._labels = {name.lower() for name in bounds.tables}
        listed = list(bounds.tables.values())
        self._properties = {name.lower() for columns in listed for name in columns} if any(listed) else None
        self._tenant_column = bounds.tenant_column
        self._bindable = {
            name.lower() for name, columns in bounds.tables.items() if bounds.tenant_column in columns
        }
        self.nodes: list[int] = []
        """Where the parentheses of node patterns open."""
        self.hops: list[int] = []
        """Where the upper bounds of paths of variable length stand."""
        self._names: set[str] = set()
        self._introduced: set[str] = set()
        """Names met a second time, so that their first appearance says what they are."""
        self._clause = ""
        self._open: list[str] = []
        """Open parentheses: `(`, `[` and `{` of an expression, `n` and `r` of a node's or relation's pattern, `b`
        of a block that holds a query of its own."""
        self._labelled: list[bool] = []
        self._outer: list[str] = []
        """Clauses in which the open blocks stand."""

    def check(self) -> tuple[str, ...]:
        """Names of the values it waits for; raises `_Blocked`."""
        if not self._tokens or not self._tokens[0].is_word("match", "optional", "unwind", "with", "return"):
            raise _Blocked("does not begin with a reading clause", "Only reading is allowed.")
        if not any(token.is_word("return") for token in self._tokens):
            raise _Blocked("returns nothing", "The query returns nothing.")
        values: dict[str, None] = {}
        for index, token in enumerate(self._tokens):
            if token.sort is Sort.VALUE:
                if token.text[1:].lower().startswith(TENANT_VALUE):
                    raise _Blocked(f"the value {token.text}, which belongs to the guard", NOT_AVAILABLE)
                values[token.text[1:]] = None
            elif token.sort is Sort.SIGN:
                self._sign(index, token)
            elif token.sort in (Sort.WORD, Sort.QUOTED):
                self._word(index, token)
        return tuple(values)

    def _at(self, index: int) -> str:
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def _word(self, index: int, token: Token) -> None:
        before, after, name = self._at(index - 1), self._at(index + 1), token.name
        in_map = bool(self._open) and self._open[-1] == "{"
        if before == ".":
            self._property(name)
        elif token.sort is Sort.WORD and name in _NEVER:
            raise _Blocked(f"the word {name}", "Only reading is allowed.")
        elif before in (":", "|") and self._open and self._open[-1] in ("n", "r"):
            self._label(name)
        elif in_map and after == ":":
            if self._tenant_column is not None and name == self._tenant_column.lower():
                raise _Blocked("a pattern that names the tenant", NOT_AVAILABLE)
            self._property(name)
        elif token.sort is Sort.WORD and name in _KEYWORDS and not (name in _FUNCTIONS and after == "("):
            self._clause = name if name in _CLAUSES else self._clause
        elif token.is_word("exists", "count") and after == "{":
            pass
        elif self._tokens[index - 1].is_word("as"):
            self._names.add(name)
        elif token.sort is Sort.WORD and after == "(":
            if name not in _FUNCTIONS:
                raise _Blocked(f"the function {name}", NOT_AVAILABLE)
        elif before in ("(", "[") and self._open[-1] in ("n", "r"):
            if name in self._names:
                self._introduced.add(name)
            self._names.add(name)
            self._labelled[-1] = self._labelled[-1] or after == ":"
        elif self._in_pattern() and after == "=":
            self._names.add(name)
        elif name not in self._names:
            raise _Blocked(f"the word {name}, which is no name of this query", NOT_AVAILABLE)

    def _label(self, name: str) -> None:
        if name not in self._labels:
            raise _Blocked(f"the label {name}", NOT_AVAILABLE)
        if self._tenant_column is not None and self._open[-1] == "n" and name not in self._bindable:
            raise _Blocked(f"the label {name}, which cannot be bound to a tenant", NOT_AVAILABLE)
        self._labelled[-1] = True

    def _property(self, name: str) -> None:
        if self._properties is not None and name not in self._properties:
            raise _Blocked(f"the property {name}", NOT_AVAILABLE)

    def _sign(self, index: int, token: Token) -> None:
        sign = token.text
        if sign == ";":
            raise _Blocked("more than one statement", "Exactly one query is allowed.")
        if sign in ("(", "[", "{"):
            self._enter(index, sign)
        elif sign in (")", "]", "}"):
            self._leave(index, sign)
        elif sign == "*" and self._open and self._open[-1] == "r":
            self._hops(index)
        elif (
            sign == "-"
            and self._in_pattern()
            and self._at(index + 1) in ("-", ">")
            and self._at(index - 1) != "]"
        ):
            raise _Blocked("a relation without a label", NOT_AVAILABLE)

    def _in_pattern(self) -> bool:
        return self._clause == "match" and (not self._open or self._open[-1] == "b")

    def _enter(self, index: int, sign: str) -> None:
        kind = sign
        if sign == "(" and self._in_pattern():
            kind = "n"
            self.nodes.append(index)
        elif sign == "[" and self._at(index - 1) == "-" and self._clause in ("match", "where"):
            kind = "r"
        elif sign == "{" and self._tokens[index - 1].is_word("exists", "count"):
            if not self._tokens[index + 1].is_word("match"):
                raise _Blocked("a block that does not begin with MATCH")
            kind = "b"
            self._outer.append(self._clause)
        self._open.append(kind)
        self._labelled.append(False)

    def _leave(self, index: int, sign: str) -> None:
        opened, labelled = self._open.pop(), self._labelled.pop()
        if {"n": ")", "r": "]", "(": ")", "[": "]", "{": "}", "b": "}"}[opened] != sign:
            raise _Blocked("parentheses that do not fit", "The query cannot be read.")
        if opened == "b":
            self._clause = self._outer.pop()
        if opened == "(" and self._tenant_column is not None and self._nameless(index):
            raise _Blocked("a node that cannot be bound to a tenant", NOT_AVAILABLE)
        if opened == "r" and not labelled:
            raise _Blocked("a relation without a label", NOT_AVAILABLE)
        if opened == "n" and not labelled and not self._joined(index) and not self._known(index):
            raise _Blocked("a node without a label", NOT_AVAILABLE)

    def _nameless(self, closing: int) -> bool:
        """`()` that is no call of a function: a node in a condition's pattern."""
        return self._at(closing - 1) == "(" and self._tokens[closing - 2].sort is not Sort.WORD

    def _known(self, closing: int) -> bool:
        """`(a)` of a name that an earlier pattern introduced."""
        return self._at(closing - 2) == "(" and self._tokens[closing - 1].name in self._introduced

    def _joined(self, closing: int) -> bool:
        """Is this node the end of a relation, whose label says what it is, or a name from before?"""
        opening = closing
        while self._at(opening) != "(":
            opening -= 1
        return self._at(closing + 1) in ("-", "<") or self._at(opening - 1) in ("-", ">")

    def _hops(self, index: int) -> None:
        """A path of variable length must say at most how long, up to 20."""
        index += 1
        while self._tokens[index].is_word("shortest", "all", "trail", "acyclic"):
            index += 1
        if self._at(index + 1) == ".." and self._at(index).isdigit():
            index += 2
        elif self._at(index) == "..":
            index += 1
        longest = self._at(index)
        if not longest.isdigit() or int(longest) > MAX_HOPS:
            reason = f"A path of variable length needs an upper bound of at most {MAX_HOPS}."
            raise _Blocked("an unbounded path", reason)
        self.hops.append(index)


def _capped(tokens: list[Token], row_cap: int) -> list[Token]:
    """The tokens with a LIMIT of at most cap + 1 after the last RETURN."""
    last = max(index for index, token in enumerate(tokens) if token.is_word("return"))
    ceiling = Token(Sort.NUMBER, str(row_cap + 1), True)
    for index in range(last, len(tokens) - 1):
        if tokens[index].is_word("limit"):
            own = tokens[index + 1]
            if index + 2 != len(tokens) or not (own.sort is Sort.VALUE or own.text.isdigit()):
                raise _Blocked("a LIMIT that is no number", "LIMIT takes a whole number.")
            if own.sort is Sort.VALUE or int(own.text) <= row_cap + 1:
                return tokens
            return [*tokens[: index + 1], ceiling]
    return [*tokens, Token(Sort.WORD, "LIMIT", True), ceiling]
