"""Clauses and patterns of Cypher, every node of a pattern bound to the tenant."""

from functools import partial
from typing import Final, Literal, NamedTuple

from agents.execution.guards.cypher_cursor import CANNOT_BE_READ, RESERVED
from agents.execution.guards.cypher_expressions import Expressions
from agents.execution.guards.cypher_functions import call
from agents.execution.guards.cypher_scope import VALUE, Blocked, Catalogue, Kind, Sort
from agents.execution.guards.cypher_tokens import Sort as Word
from agents.execution.guards.cypher_tokens import Token
from agents.execution.guards.verdict import NOT_AVAILABLE

CypherDialect = Literal["ladybug", "neo4j"]
MAX_HOPS: Final = 20
MAX_CLAUSES: Final = 16
"""A text that doubles with every WITH stays small with so few of them."""


_NONE_AFTER: Final = ("(", "[", ".", ":", "]->", "]-")
_NONE_BEFORE: Final = (",", ")", "]", ".", ":", "-[", "<-[")


class Tenant(NamedTuple):
    """The property that says whose a node is, and the tenant: as it is written into the statement. `labels` are the
    nodes that have the property; others cannot be bound, and are refused."""

    column: str
    written: str
    labels: frozenset[str]


class Clauses:
    """Reads one query and writes it again, whole."""

    def __init__(
        self,
        tokens: list[Token],
        catalogue: Catalogue,
        tenant: Tenant | None,
        row_cap: int,
        dialect: CypherDialect,
    ) -> None:
        self._catalogue = catalogue
        self._tenant = tenant
        self._row_cap = row_cap
        self._dialect = dialect
        self._read = Expressions(tokens, catalogue, regex=dialect == "ladybug")
        self._read.patterns = self._predicate
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
            read.scope = {}
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

    # Patterns

    def _patterns(self) -> None:
        while True:
            self._pattern(new_names=True)
            if not self._read.took(","):
                return

    def _predicate(self) -> None:
        """A pattern in a condition: it brings no names of its own."""
        self._pattern(new_names=False)

    def _block(self) -> None:
        """`{ MATCH … WHERE … }`, whose names end with it."""
        read = self._read
        before = dict(read.scope)
        read.take("{")
        while not read.took("}"):
            if not read.sees("match", "optional"):
                raise Blocked("a block that does not match", "Only MATCH and WHERE may stand in a block.")
            self._match()
        read.scope = before

    def _pattern(self, *, new_names: bool) -> None:
        read = self._read
        path = None
        if new_names and read.sees("=", ahead=1):
            path = read.name()
            read.take("=")
        self._node(new_names=new_names, alone=True)
        while read.sees("-", "<"):
            self._relation(new_names=new_names)
            self._node(new_names=new_names, alone=False)
        if path is not None:
            read.scope[path] = Kind(Sort.ENTITY)

    def _node(self, *, new_names: bool, alone: bool) -> None:
        """`(name:Label {…})`. Without a label it has to be known, or the end of a relation that has one."""
        read = self._read
        first = read.at(1)
        known = first is not None and first.sort in (Word.WORD, Word.QUOTED) and first.name in read.scope
        read.take("(")
        name = self._own_name(new_names=new_names)
        labels = self._labels()
        standing = read.scope[name] if known and name is not None else None
        if standing is not None and standing.sort is not Sort.ENTITY:
            raise Blocked(f"{name} as a node, which is a value", NOT_AVAILABLE)
        if not labels and standing is None and alone and not self._joined():
            raise Blocked("a node without a label", NOT_AVAILABLE)
        if self._tenant is not None and labels - self._tenant.labels:
            raise Blocked("a node without a tenant", NOT_AVAILABLE)
        kind = Kind(Sort.ENTITY, labels or (standing.labels if standing else self._catalogue.nodes))
        if name is not None:
            read.scope[name] = kind
        self._bound_map(kind)
        read.take(")")

    def _joined(self) -> bool:
        """Does a relation follow this node? Its label says what the node can be."""
        depth, ahead = 1, 0
        while depth and (token := self._read.at(ahead)) is not None:
            if token.sort is Word.SIGN:
                depth += (token.text == "(") - (token.text == ")")
            ahead += 1
        return self._read.sees("-", "<", ahead=ahead)

    def _own_name(self, *, new_names: bool) -> str | None:
        token = self._read.at()
        if token is None or token.sort not in (Word.WORD, Word.QUOTED):
            return None
        if not new_names and token.name not in self._read.scope:
            raise Blocked(f"the new name {token.name} in a condition", NOT_AVAILABLE)
        return self._read.name()

    def _labels(self) -> frozenset[str]:
        read = self._read
        labels: set[str] = set()
        while read.took(":", "|") if labels else read.took(":"):
            read.took(":")
            token = read.at()
            if token is None or token.sort not in (Word.WORD, Word.QUOTED):
                raise Blocked("no label after a colon", CANNOT_BE_READ)
            labels.add(self._catalogue.label(token.name))
            read.take()
        return frozenset(labels)

    def _bound_map(self, kind: Kind) -> None:
        """The properties of a node's pattern, the tenant's first. Of two entries for one property one engine takes
        the first and another the last: a second one is refused."""
        read = self._read
        start = len(read.out)
        if read.sees("{"):
            self._refuse_tenant_in_map()
            read.map(kind)
        if self._tenant is None:
            return
        bound = f"{self._tenant.column} : {self._tenant.written}"
        if len(read.out) == start:
            read.out.append(f"{{ {bound} }}")
        else:
            read.out.insert(start + 1, bound if read.out[start + 1] == "}" else f"{bound} ,")

    def _refuse_tenant_in_map(self) -> None:
        tenant = "" if self._tenant is None else self._tenant.column.lower()
        ahead, depth = 0, 0
        while (token := self._read.at(ahead)) is not None:
            depth += (token.text == "{") - (token.text == "}") if token.sort is Word.SIGN else 0
            if depth == 0:
                return
            if token.name == tenant and self._read.sees(":", ahead=ahead + 1):
                raise Blocked("the tenant in a pattern", "The tenant is not for the query to say.")
            ahead += 1

    def _relation(self, *, new_names: bool) -> None:
        read = self._read
        start = len(read.out)
        backwards = read.took("<")
        read.take("-")
        if not read.sees("["):
            raise Blocked("a relation without a label", NOT_AVAILABLE)
        read.take("[")
        read.out[start:] = ["<-[" if backwards else "-["]
        name = self._own_name(new_names=new_names)
        labels = self._labels()
        if not labels:
            raise Blocked("a relation without a label", NOT_AVAILABLE)
        hops = self._hops() if read.sees("*") else None
        if read.sees("{"):
            read.map(Kind(Sort.ENTITY, labels))
        if name is not None:
            if name in read.scope and new_names:
                raise Blocked(f"the relation {name} twice", NOT_AVAILABLE)
            read.scope[name] = Kind(Sort.ENTITY if hops is None else Sort.ENTITIES, labels)
        end = len(read.out)
        read.take("]")
        read.take("-")
        read.out[end:] = ["]->" if read.took(">") else "]-"]
        if hops is not None and self._dialect == "neo4j" and self._tenant is not None:
            self._quantified(start, name, hops, self._tenant)

    def _hops(self) -> tuple[int, int]:
        """`*1..5`: a path of variable length says at most how long, and passes through the tenant's nodes only."""
        read = self._read
        start = len(read.out)
        read.take("*")
        if self._dialect == "ladybug":
            if read.took("all"):
                read.take("shortest")
            else:
                read.took("shortest", "trail", "acyclic")
        least, most = self._range()
        if not 1 <= most <= MAX_HOPS or least > most:
            reason = f"A path of variable length needs an upper bound of at most {MAX_HOPS}."
            raise Blocked("an unbounded path", reason)
        if self._tenant is None:
            read.out.append(f"{least}..{most}")
        elif self._dialect == "ladybug":
            node = f"{RESERVED}n"
            condition = f"{node}.{self._tenant.column} = {self._tenant.written}"
            read.out.append(f"{least}..{most} ({RESERVED}r, {node} | WHERE {condition})")
        else:
            del read.out[start:]
        return least, most

    def _range(self) -> tuple[int, int]:
        """`3`, `..5`, `2..5`: the least and the most; 0 where no upper bound is given. Nothing is written yet."""
        read = self._read
        least, most = 1, 0
        if read.at() is not None and read.sees_number():
            least = most = self._whole(read.skip())
        if read.sees(".."):
            read.skip()
            most = self._whole(read.skip()) if read.sees_number() else 0
        return least, most

    def _whole(self, token: Token) -> int:
        if not token.text.isdigit() or len(token.text) > 3:
            raise Blocked("a path whose length is no small whole number", CANNOT_BE_READ)
        return int(token.text)

    def _quantified(self, start: int, name: str | None, hops: tuple[int, int], tenant: Tenant) -> None:
        """Neo4j binds the nodes in between as a quantified path pattern."""
        if name is not None:
            raise Blocked("a named relation of variable length", "Name the path instead of the relation.")
        node = f"( {{ {tenant.column} : {tenant.written} }} )"
        relation = self._read.out[start:]
        self._read.out[start:] = ["(", node, *relation, node, ")", f"{{{hops[0]},{hops[1]}}}"]
