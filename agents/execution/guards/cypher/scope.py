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


_UNLISTED = ""
"""Stands for a relation of which the catalogue says nothing: no property of it may be read."""


class Catalogue:
    """The labels and relations of a source, and their listed properties; none listed means all of them.

    Where `nodes` are told from relations and no relation is listed, relations of any kind may be walked between bound
    nodes, and none of their properties read.
    """

    def __init__(self, tables: Mapping[str, tuple[str, ...]], nodes: frozenset[str]) -> None:
        self.nodes = nodes
        """Labels of nodes, where the source tells them from relations; else empty."""
        self._names = {name.lower(): name for name in tables}
        self._properties = {
            name.lower(): frozenset(map(str.lower, listed)) for name, listed in tables.items()
        }
        self.relations = frozenset(self._properties) - nodes if nodes else frozenset[str]()
        """Kinds of relations, where the source tells them from nodes; else empty."""
        self._any_relation = bool(nodes) and not self.relations
        if self._any_relation:
            self._properties[_UNLISTED] = frozenset({_UNLISTED})

    def relation(self, name: str) -> str:
        """A kind of relation as the catalogue has it; raises `Blocked`."""
        if self._any_relation and name.lower() not in self._properties:
            return _UNLISTED
        if name.lower() in self.nodes:
            raise Blocked(f"the label {name} as a relation", NOT_AVAILABLE)
        return self.label(name)

    def any_relation(self) -> frozenset[str]:
        """What a relation without a label may be; raises `Blocked` where that cannot be told."""
        if self._any_relation:
            return frozenset({_UNLISTED})
        if not self.relations:
            raise Blocked("a relation without a label", NOT_AVAILABLE)
        return self.relations

    def written(self, labels: Iterable[str]) -> str:
        """Labels as a pattern writes them, `A|B`."""
        names = sorted(self._names[label] for label in labels)
        return "|".join(name if name.isidentifier() and name.isascii() else _quoted(name) for name in names)

    def lists(self, label: str, properties: frozenset[str]) -> bool:
        """Does a label list all of these?"""
        return not self._properties[label] or properties <= self._properties[label]

    def label(self, name: str) -> str:
        """A label as the catalogue has it; raises `Blocked`."""
        if name.lower() not in self._properties:
            raise Blocked(f"the label {name}", NOT_AVAILABLE)
        return name.lower()

    def readable(self, name: str, kind: Kind) -> None:
        """May this property be read of an entity of this kind? Every label it may be of has to list it: what is
        not said to be one is read as any. Raises `Blocked`."""
        labels = kind.labels or self._properties.keys() - {_UNLISTED}
        for label in labels:
            listed = self._properties[label]
            if listed and name.lower() not in listed:
                hint = None if kind.labels else "Say of which label it is."
                raise Blocked(f"the property {name}, which {label} does not list", NOT_AVAILABLE, hint)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
