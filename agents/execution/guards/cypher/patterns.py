"""Patterns of Cypher: every node bound to the tenant, every relation of a listed kind, every path bounded."""

from typing import Final, Literal, NamedTuple

from agents.execution.guards.cypher.cursor import CANNOT_BE_READ, RESERVED
from agents.execution.guards.cypher.expressions import Expressions
from agents.execution.guards.cypher.names import properties_asked
from agents.execution.guards.cypher.scope import Blocked, Catalogue, Kind, Sort
from agents.execution.guards.cypher.tokens import Sort as Word
from agents.execution.guards.cypher.tokens import Token
from agents.execution.guards.verdict import NOT_AVAILABLE

CypherDialect = Literal["ladybug", "neo4j"]
MAX_HOPS: Final = 20
MAX_NODES: Final = 24
"""Nodes in all patterns of a statement."""
MAX_APART: Final = 5
"""Patterns that share no node with those before them, and lists unwound (twice each): they multiply the rows."""
_SHORTEST: Final = {"shortestpath": "SHORTEST", "allshortestpaths": "ALL SHORTEST"}


class Tenant(NamedTuple):
    """The property that says whose a node is, and the tenant: as it is written into the statement. `labels` are the
    nodes that have the property; others cannot be bound, and are refused."""

    column: str
    written: str
    labels: frozenset[str]


class Patterns:
    """Reads patterns and writes them again, bound."""

    def __init__(
        self, tokens: list[Token], catalogue: Catalogue, tenant: Tenant | None, dialect: CypherDialect
    ) -> None:
        self._catalogue = catalogue
        self._tenant = tenant
        self._dialect = dialect
        self._read = Expressions(tokens, catalogue, regex=dialect == "ladybug")
        self._read.patterns = self._predicate
        self._asked = properties_asked(tokens)
        self._nodes = 0
        self._apart = 0
        self._shortest = ""
        self._path_labels: frozenset[str] = frozenset()

    def _multiply(self, weight: int = 1) -> None:
        """One more set of rows beside those there are; a list may be made long without any store."""
        self._apart += weight
        if self._apart > MAX_APART:
            raise Blocked(
                "too many patterns side by side", f"At most {MAX_APART} patterns may stand side by side."
            )

    def _patterns(self) -> None:
        while True:
            self._pattern(new_names=True)
            if not self._read.took(","):
                return

    def _predicate(self) -> None:
        """A pattern in a condition: it brings no names of its own."""
        self._pattern(new_names=False)

    def _pattern(self, *, new_names: bool) -> None:
        read = self._read
        known, path = frozenset(read.scope), None
        around = self._path_labels, self._shortest
        if new_names and read.sees("=", ahead=1):
            path = read.name()
            read.take("=")
        self._path_labels = self._labels_with(self._asked.get(path, frozenset())) if path else frozenset()
        self._shortest = ""
        shortest = self._begin_shortest() if path is not None else False
        named, relations = [self._node(new_names=new_names, alone=True)], 0
        while read.sees("-", "<"):
            self._relation(new_names=new_names)
            named.append(self._node(new_names=new_names, alone=False))
            relations += 1
        if shortest:
            self._end_shortest(relations)
        path_labels = self._path_labels
        self._path_labels, self._shortest = around
        if path is not None:
            labels = frozenset[str]().union(*(kind.labels for _, kind in named), path_labels)
            read.scope[path] = Kind(Sort.ENTITY, labels)
        if known.isdisjoint(name for name, _ in named):
            self._multiply()

    def _begin_shortest(self) -> bool:
        """`shortestPath(…)`, which the engines write in other words."""
        read = self._read
        token = read.at()
        if token is None or token.name not in _SHORTEST or not read.sees("(", ahead=1):
            return False
        self._shortest = _SHORTEST[read.skip().name]
        read.skip()
        if self._dialect == "neo4j":
            read.out.append("SHORTEST 1" if self._shortest == "SHORTEST" else self._shortest)
        return True

    def _end_shortest(self, relations: int) -> None:
        if not self._read.sees(")") or relations != 1:
            raise Blocked("a shortest path that is no single relation", CANNOT_BE_READ)
        self._read.skip()
        self._shortest = ""

    def _labels_with(self, asked: frozenset[str]) -> frozenset[str]:
        """The labels of nodes that list all these properties; all of them when none does."""
        nodes = self._catalogue.nodes
        fitting = frozenset(label for label in nodes if self._catalogue.lists(label, asked))
        return fitting or nodes

    def _node(self, *, new_names: bool, alone: bool) -> tuple[str | None, Kind]:
        """`(name:Label {…})`. Without a label it has to be known, or the end of a relation that has one: then it is of
        one of the labels that list what is asked of it."""
        read = self._read
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Blocked("too many nodes", f"At most {MAX_NODES} nodes may stand in patterns.")
        first = read.at(1)
        known = first is not None and first.sort in (Word.WORD, Word.QUOTED) and first.name in read.scope
        read.take("(")
        name = self._own_name(new_names=new_names)
        labels = self._labels()
        standing = read.scope[name] if known and name is not None else None
        if standing is not None and standing.sort is not Sort.ENTITY:
            raise Blocked(f"{name} as a node, which is a value", NOT_AVAILABLE)
        if not labels and standing is None:
            if alone and not self._joined():
                raise Blocked("a node without a label", NOT_AVAILABLE)
            asked = self._asked.get(name, frozenset()) if name is not None else frozenset[str]()
            labels = self._labels_with(asked)
            if labels:
                read.out.append(":" + self._catalogue.written(labels))
        if self._tenant is not None and labels - self._tenant.labels:
            raise Blocked("a node without a tenant", NOT_AVAILABLE)
        kind = Kind(Sort.ENTITY, labels or (standing.labels if standing else self._catalogue.nodes))
        if name is not None:
            read.scope[name] = kind
        self._bound_map(kind)
        read.take(")")
        return name, kind

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

    def _labels(self, *, of_relation: bool = False) -> frozenset[str]:
        read = self._read
        look_up = self._catalogue.relation if of_relation else self._catalogue.label
        labels: set[str] = set()
        while read.took(":", "|") if labels else read.took(":"):
            read.took(":")
            token = read.at()
            if token is None or token.sort not in (Word.WORD, Word.QUOTED):
                raise Blocked("no label after a colon", CANNOT_BE_READ)
            labels.add(look_up(token.name))
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
        bracketed = read.took("[")
        read.out[start:] = ["<-[" if backwards else "-["]
        name = self._own_name(new_names=new_names) if bracketed else None
        labels = self._labels(of_relation=True) if bracketed else frozenset[str]()
        if not labels:
            labels = self._catalogue.any_relation()
            listed = self._catalogue.relations & labels
            read.out += [":" + self._catalogue.written(listed)] if listed else []
        hops = self._hops() if bracketed and read.sees("*") else None
        if self._shortest and hops is None:
            raise Blocked("a shortest path without a length", CANNOT_BE_READ)
        if bracketed and read.sees("{"):
            read.map(Kind(Sort.ENTITY, labels))
        if name is not None:
            if name in read.scope and new_names:
                raise Blocked(f"the relation {name} twice", NOT_AVAILABLE)
            read.scope[name] = Kind(Sort.ENTITY if hops is None else Sort.ENTITIES, labels)
        end = len(read.out)
        if bracketed:
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
        if self._shortest:
            read.out += [self._shortest] if self._dialect == "ladybug" else []
        elif self._dialect == "ladybug":
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
            condition = f"{node}.{self._tenant.column} = {self._tenant.written}{self._of_labels(node)}"
            read.out.append(f"{least}..{most} ({RESERVED}r, {node} | WHERE {condition})")
        else:
            del read.out[start:]
        return least, most

    def _of_labels(self, node: str) -> str:
        """What the nodes in between may be, where something is asked of them that not every label lists."""
        if not self._path_labels or self._path_labels == self._catalogue.nodes:
            return ""
        listed = ", ".join(f"'{name}'" for name in self._catalogue.written(self._path_labels).split("|"))
        return f" AND label({node}) IN [{listed}]"

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
        narrowed = self._path_labels < self._catalogue.nodes and self._path_labels
        label = f":{self._catalogue.written(narrowed)} " if narrowed else ""
        node = f"( {label}{{ {tenant.column} : {tenant.written} }} )"
        relation = self._read.out[start:]
        self._read.out[start:] = ["(", node, *relation, node, ")", f"{{{hops[0]},{hops[1]}}}"]
