"""The catalogue: what can be asked, indexed once per registry and group of tenants, and the names known so far."""

from collections.abc import Callable, Sequence
from typing import Final

from agents.planning.context import PlanningContext
from agents.planning.examples import SAMPLED, Example
from agents.planning.names import Names
from agents.planning.reading.grammar import STOP
from agents.planning.reading.reader import Reader
from agents.planning.reading.vocabulary import names_key
from agents.planning.reading.words import stems_of
from agents.planning.resolvers import Missing, Situation, fill
from agents.planning.retrieval import Document, Index
from agents.planning.sentence import Sentence
from agents.planning.spelling import Spelling
from agents.planning.validation import Asker, usable
from registry.assets import ComboAsset, Parameter, TemplateAsset
from registry.registry import Registry
from schemas.questions import Mode

_KEPT_CHOICES = 256
_KEPT_NAMES = 256
_MOST_NAMES = 2_000
"""Names of one kind among which slips are looked for."""


class View:
    """What one group of tenants can ask for."""

    def __init__(self, registry: Registry, tenant_id: str) -> None:
        self._registry = registry
        templates = registry.templates(tenant_id)
        documents = [Document(each, (each,), _examples(each, (each,))) for each in templates]
        for combo in registry.combos(tenant_id):
            members = tuple(each for each in map(registry.template, combo.templates) if each is not None)
            documents.append(Document(combo, members, _examples(combo, members)))
        self.index = Index(documents)
        self.reader = Reader(registry.datasets(tenant_id), _told_by_keywords(documents))
        self.spelling = Spelling(_words_in(documents, self.reader))
        self._words: tuple[tuple[object, ...], frozenset[str]] | None = None
        self._readable: dict[tuple[object, ...], frozenset[str]] = {}
        self._open: dict[tuple[object, ...], frozenset[int]] = {}
        self._names: dict[tuple[object, ...], tuple[Sequence[str], Names]] = {}

    def open_to(self, asker: Asker, mode: Mode) -> frozenset[int]:
        """The numbers of the documents of a mode whose tools the asker may use."""
        key = (asker.roles, asker.tools, mode)
        found = self._open.get(key)
        if found is None:
            if len(self._open) >= _KEPT_CHOICES:
                self._open.clear()
            found = self._open[key] = frozenset(
                number
                for number, document in enumerate(self.index.documents)
                if (mode is Mode.ALL or document.asset.mode is mode)
                and all(self._usable(template, asker) for template in document.templates)
            )
        return found

    def datasets_open_to(self, asker: Asker, mode: Mode) -> frozenset[str]:
        """The ids of the datasets of a mode whose tools the asker may use."""
        key = (asker.roles, asker.tools, mode)
        found = self._readable.get(key)
        if found is None:
            if len(self._readable) >= _KEPT_CHOICES:
                self._readable.clear()
            found = self._readable[key] = frozenset(
                dataset.id
                for dataset in self.reader.vocabulary.datasets.values()
                if (mode is Mode.ALL or mode in dataset.modes)
                and (tool := self._registry.tool(dataset.tool)) is not None
                and usable(tool, asker)
            )
        return found

    def _usable(self, template: TemplateAsset, asker: Asker) -> bool:
        tool = self._registry.tool(template.tool)
        return tool is not None and usable(tool, asker)

    def known_words(self, context: PlanningContext) -> frozenset[str]:
        """The words in the names that are known for the tenant."""
        lists = [
            context.known_values(each.values_from)
            for document in self.index.documents
            for template in document.templates
            for each in template.parameters.values()
            if each.values_from
        ]
        lists += [
            context.known_values(names_key(dataset, name))
            for dataset in self.reader.vocabulary.datasets.values()
            for name, field in dataset.fields.items()
            if field.type == "entity" and field.values_known
        ]
        key = (context.tenant_id, *map(id, lists))
        if self._words is None or self._words[0] != key:
            words = {
                word
                for names in lists
                for name in names[:_MOST_NAMES]
                for word in name.casefold().split()
                if word.isascii() and word.isalpha()
            }
            self._words = (key, frozenset(words))
        return self._words[1]

    def names(self, context: PlanningContext) -> Callable[[str, Parameter], Names]:
        """Looks up the known names of a parameter; their index is kept as long as the caller's list is the same."""

        def names_of(name: str, parameter: Parameter) -> Names:
            known = context.known_values(parameter.values_from) if parameter.values_from else ()
            key = (context.tenant_id, parameter.values_from, parameter.values, *parameter.aliases.items())
            kept = self._names.get(key)
            if kept is not None and kept[0] is known:
                return kept[1]
            if len(self._names) >= _KEPT_NAMES:
                self._names.clear()
            names = Names((*known, *parameter.values), parameter.aliases)
            self._names[key] = (known, names)
            return names

        return names_of


class Catalogue:
    """The views of one registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._views: dict[str, View] = {}

    def view(self, tenant_id: str) -> View:
        """What a tenant can ask for; tenants that see the same share one view."""
        group = self.registry.tenant_group(tenant_id)
        found = self._views.get(group)
        if found is None:
            found = self._views[group] = View(self.registry, tenant_id)
        return found


_SOME_MOMENT: Final = 1_800_000_000.0
"""When examples are read: any moment late enough for "last year" to be before it."""


def _told_by_keywords(documents: Sequence[Document]) -> set[str]:
    """The stems of the words that speak for templates."""
    texts = (text for each in documents for text in (each.asset.title, *each.asset.keywords))
    return {stems_of((token.text,))[0] for text in texts for token in Sentence.read(text).tokens}


def _words_in(documents: Sequence[Document], reader: Reader) -> set[str]:
    """All words that templates and datasets are spoken of with."""
    texts = [
        text
        for each in documents
        for text in (each.asset.title, each.asset.description, *each.asset.keywords)
    ]
    found = {token.text for text in texts for token in Sentence.read(text).tokens}
    found |= {token.text for each in documents for one in each.examples for token in one.sentence.tokens}
    found |= {word for phrase in (*reader.vocabulary.exact, *reader.vocabulary.marks) for word in phrase}
    names = (word for each in documents for one in each.templates for name in one.parameters.values()
             for text in (*name.values, *name.aliases) for word in text.casefold().split())  # fmt: skip
    return found | set(names) | STOP


def _examples(asset: TemplateAsset | ComboAsset, templates: Sequence[TemplateAsset]) -> tuple[Example, ...]:
    """The asset's example questions, without what times, numbers and choices in them would take."""
    parameters = {name: each for template in templates for name, each in template.parameters.items()}
    names = sum(SAMPLED.get(each.resolver, 0) for each in parameters.values())
    plain = {name: each for name, each in parameters.items() if each.resolver not in SAMPLED}
    return tuple(_example(text, plain, names) for text in asset.examples)


def _example(text: str, parameters: dict[str, Parameter], names: int) -> Example:
    sentence = Sentence.read(text)
    situation = Situation(sentence, text, frozenset(), _SOME_MOMENT, lambda name, parameter: Names(()))
    taken: dict[int, str] = {}
    for name, parameter in parameters.items():
        filled = fill({name: parameter}, situation)
        if not isinstance(filled, Missing):
            taken |= filled.taken
    return Example(sentence, taken, names)
