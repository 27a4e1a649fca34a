"""What names of a Cypher statement stand for, and which properties of it may be read."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from agents.execution.guards.verdict import NOT_AVAILABLE, blocked


class Blocked(Exception):
    """Carries a refusal out of the reading of a statement."""

    def __init__(self, violation: str, reason: str | None = None, suggestion: str | None = None) -> None:
        super().__init__(violation)
        self.verdict = blocked(violation, reason, suggestion) if reason else blocked(violation)


class Sort(Enum):
    """A whole node, relation or path (`entity`), a list of them, or a plain value. What holds entities may be
    returned and compared, for the engine shows their listed properties only; it may not become text."""

    ENTITY = "entity"
    ENTITIES = "entities"
    VALUE = "value"


class Kind(NamedTuple):
    """`labels`: what an entity may be; empty when the statement does not say."""

    sort: Sort
    labels: frozenset[str] = frozenset()


VALUE = Kind(Sort.VALUE)
ENTITIES = Kind(Sort.ENTITIES)
ENTITY = Kind(Sort.ENTITY)


def joined(kinds: Iterable[Kind]) -> Kind:
    """What one of several may be: `coalesce(a, b)`, the branches of a CASE."""
    found = list(kinds)
    sorts = {kind.sort for kind in found} - {Sort.VALUE}
    if not sorts:
        return VALUE
    labels = [kind.labels for kind in found if kind.sort is not Sort.VALUE]
    common = frozenset().union(*labels) if all(labels) else frozenset()
    return Kind(Sort.ENTITIES if Sort.ENTITIES in sorts else Sort.ENTITY, common)


class Catalogue:
    """The labels and relations of a source, and their listed properties; none listed means all of them."""

    def __init__(self, tables: Mapping[str, tuple[str, ...]], nodes: frozenset[str]) -> None:
        self.nodes = nodes
        """Labels of nodes, where the source tells them from relations; else empty."""
        self._properties = {
            name.lower(): frozenset(map(str.lower, listed)) for name, listed in tables.items()
        }

    def label(self, name: str) -> str:
        """A label as the catalogue has it; raises `Blocked`."""
        if name.lower() not in self._properties:
            raise Blocked(f"the label {name}", NOT_AVAILABLE)
        return name.lower()

    def readable(self, name: str, kind: Kind) -> None:
        """May this property be read of an entity of this kind? Every label it may be of has to list it: what is
        not said to be one is read as any. Raises `Blocked`."""
        labels = kind.labels or self._properties.keys()
        for label in labels:
            listed = self._properties[label]
            if listed and name.lower() not in listed:
                hint = None if kind.labels else "Say of which label it is."
                raise Blocked(f"the property {name}, which {label} does not list", NOT_AVAILABLE, hint)
