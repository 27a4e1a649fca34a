"""What a statement asks of its names, found ahead of reading it: a node without a label is of those that list it."""

from collections import defaultdict
from collections.abc import Mapping

from agents.execution.guards.cypher.tokens import Sort, Token

_NAMES = (Sort.WORD, Sort.QUOTED)


def properties_asked(tokens: list[Token]) -> Mapping[str, frozenset[str]]:
    """Name → the properties read of it, in lower case; for a path, those read of the nodes in it.

    Only ever narrows what an unlabelled node may be; whether a property may be read is decided elsewhere.
    """
    asked: defaultdict[str, set[str]] = defaultdict(set)
    within: dict[str, str] = {}
    for at, token in enumerate(tokens):
        if token.sort not in _NAMES:
            continue
        texts = [each.text.lower() for each in tokens[at + 1 : at + 5]]
        if texts[:1] == ["."] and tokens[at + 2 : at + 3] and tokens[at + 2].sort in _NAMES:
            asked[token.name].add(tokens[at + 2].name)
        if texts[:3] == ["in", "nodes", "("] and len(texts) > 3:
            within[token.name] = tokens[at + 4].name
        if token.name == "properties" and texts[:3] == ["(", "nodes", "("] and len(texts) > 3:
            wanted = tokens[at + 7 : at + 8]
            asked[tokens[at + 4].name] |= {
                each.text[1:-1].lower() for each in wanted if each.sort is Sort.TEXT
            }
    for element, path in within.items():
        asked[path] |= asked.get(element, set())
    return {name: frozenset(properties) for name, properties in asked.items()}
