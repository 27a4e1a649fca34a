"""Functions of Cypher: which there are, what they take and what they give."""

from typing import Final

from agents.execution.guards.cypher.expressions import Expressions, plain
from agents.execution.guards.cypher.scope import ENTITIES, ENTITY, VALUE, Blocked, Kind, Sort, joined
from agents.execution.guards.cypher.tokens import Sort as Word
from agents.execution.guards.verdict import NOT_AVAILABLE


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF_VALUES: Final = _words(
    """
        abs avg cast ceil coalesce concat contains date datetime duration timestamp epoch_ms date_part date_trunc
        floor lower max min mod percentilecont percentiledisc round starts_with ends_with stdev stddev string sum
        tolower toupper trim ltrim rtrim upper tostring tointeger tofloat split substring left right replace
        sqrt ln log log10 exp sign reverse list_contains list_len list_sum list_sort isempty
        """
)
_OF_ENTITIES: Final = {
    "label": VALUE, "labels": VALUE, "type": VALUE, "count": VALUE, "length": VALUE, "size": VALUE,
    "nodes": ENTITIES, "rels": ENTITIES, "relationships": ENTITIES, "collect": ENTITIES,
    "head": ENTITY, "last": ENTITY, "list_extract": ENTITY, "startnode": ENTITY, "endnode": ENTITY,
}  # fmt: skip
"""Functions that take entities, and what they make of them; of values they make values."""
_KEEPING: Final = _words("collect head last list_extract")
"""These give what they were given."""
MAX_RANGE: Final = 1_000
_LONGEST_NUMBER: Final = 9
_QUANTIFIERS: Final = _words("all any none single")
_TYPES: Final = _words(
    """
        string int64 int32 int16 int8 uint64 uint32 double float bool boolean date timestamp integer int interval
        """
)


def call(read: Expressions, name: str) -> Kind:
    """Read a function's call; what it gives. Raises `Blocked` for a function that is not on the list."""
    if name in _QUANTIFIERS:
        return _quantified(read)
    if name == "exists":
        read.take()
        read.take("(")
        read.expression()
        read.take(")")
        return VALUE
    if name == "properties":
        return _properties(read)
    if name == "cast":
        return _cast(read)
    if name == "range":
        return _range(read)
    if name not in _OF_VALUES and name not in _OF_ENTITIES:
        raise Blocked(f"the function {name}", NOT_AVAILABLE)
    read.take()
    kinds = _arguments(read)
    if name == "coalesce":
        return joined(kinds)
    if name in _OF_VALUES:
        for kind in kinds:
            plain(kind)
        return VALUE
    entities = joined(kinds)
    made = VALUE if entities.sort is Sort.VALUE else _OF_ENTITIES[name]
    if name == "nodes":
        return made._replace(labels=entities.labels or read.catalogue.nodes)
    return made._replace(labels=entities.labels) if name in _KEEPING else made


def _arguments(read: Expressions) -> list[Kind]:
    read.take("(")
    kinds: list[Kind] = []
    read.took("distinct")
    if read.took("*"):
        read.take(")")
        return kinds
    while not read.took(")"):
        kinds.append(read.expression())
        if not read.sees(")"):
            read.take(",")
    return kinds


def _quantified(read: Expressions) -> Kind:
    """`all(x IN list WHERE condition)`."""
    before = dict(read.scope)
    read.take()
    read.take("(")
    read.element()
    read.take("where")
    read.expression()
    read.take(")")
    read.scope = before
    return VALUE


def _range(read: Expressions) -> Kind:
    """`range(1, 24)`: whole numbers as they stand, and not many."""
    read.take()
    read.take("(")
    bounds: list[int] = []
    while not bounds or read.took(","):
        token = read.at()
        if token is None or not token.text.isdigit() or len(token.text) > _LONGEST_NUMBER:
            raise Blocked("a range that is not of small whole numbers", NOT_AVAILABLE)
        bounds.append(int(token.text))
        read.take()
    read.take(")")
    step = bounds[2] if len(bounds) > 2 else 1
    if len(bounds) not in (2, 3) or step == 0 or (bounds[1] - bounds[0]) // step >= MAX_RANGE:
        raise Blocked("a long range", f"A range holds at most {MAX_RANGE} numbers.")
    return VALUE


def _properties(read: Expressions) -> Kind:
    """`properties(nodes(p), 'name')`: one listed property, by a literal name."""
    read.take()
    read.take("(")
    kind = read.expression()
    read.take(",")
    wanted = read.at()
    if wanted is None or wanted.sort is not Word.TEXT or "\\" in wanted.text:
        raise Blocked("properties without a literal name", NOT_AVAILABLE)
    read.catalogue.readable(wanted.text[1:-1], kind)
    read.take()
    read.take(")")
    return VALUE


def _cast(read: Expressions) -> Kind:
    """`CAST(value AS TYPE)` and `cast(value, 'TYPE')`."""
    read.take()
    read.take("(")
    read.value()
    read.take("as", ",")
    wanted = read.at()
    if wanted is None or wanted.text.strip("'\"").lower() not in _TYPES:
        raise Blocked("a cast to this type", NOT_AVAILABLE)
    read.take()
    read.take(")")
    return VALUE
