"""Known names of one kind (processes, packages, mounts, …) and how a question may have meant one of them."""

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.korean import PARTICLES
from agents.planning.sentence import Sentence
from agents.planning.words import Token, read

LONGEST_NAME = 5
"""Words in the longest name that is looked for."""
MAX_NAMES = 20_000
_ALIKE = 0.8
"""How alike two spellings must be, as difflib's ratio, to count as one name mistyped."""
_SHORTEST_FUZZY = 4
_LONGEST_FUZZY = 40
_AMBIGUOUS = 3
_SEPARATORS = re.compile(r"[-_. ]+")


@dataclass(frozen=True, slots=True)
class Meant:
    """A name the question meant, the words that said so, and the tokens they are."""

    name: str
    words: str
    tokens: frozenset[int]
    exact: bool


class Names:
    """Looks up names exactly, by one of their parts, or by a similar spelling. Built once per list of names."""

    def __init__(self, names: Iterable[str], aliases: Mapping[str, str] | None = None) -> None:
        self._by_spelling: dict[str, str] = {}
        self._by_part: dict[str, list[str]] = {}
        self._by_pair: dict[str, list[str]] = {}
        for name in list(names)[:MAX_NAMES]:
            self._add(spelled(read(name)), name)
        for alias, name in (aliases or {}).items():
            self._by_spelling[spelled(read(alias))] = name

    def _add(self, spelling: str, name: str) -> None:
        if not spelling or spelling in self._by_spelling:
            return
        self._by_spelling[spelling] = name
        for part in set(spelling.split("-")):
            self._by_part.setdefault(part, []).append(spelling)
        for pair in _pairs(spelling):
            self._by_pair.setdefault(pair, []).append(spelling)

    def __len__(self) -> int:
        return len(self._by_spelling)

    def find(self, sentence: Sentence, taken: Collection[int], strange: Collection[int]) -> Meant | None:
        """The name a sentence means. `strange` are tokens no template knows: they are the likeliest names."""
        best: tuple[tuple[int, bool, int], Meant] | None = None
        for start, end in sentence.free_spans(LONGEST_NAME, taken):
            if best is not None and end - start < -best[0][0]:
                break
            words = sentence.tokens[start:end]
            if end - start == 1 and words[0].stop and words[0].text.isalpha():
                continue
            name = self._by_spelling.get(spelled(words)) or self._without_particle(words)
            rank = (start - end, start not in strange, start)
            if name is not None and (best is None or rank < best[0]):
                text = " ".join(word.text for word in words)
                best = rank, Meant(name, text, frozenset(range(start, end)), exact=True)
        if best is not None:
            return best[1]
        return self._similar(sentence, taken, strange)

    def _without_particle(self, words: Sequence[Token]) -> str | None:
        """The name whose last word carries a Korean ending: 체크아웃은, 결제를, db-7에서."""
        if words[-1].text < "가":
            return None
        ending = words[-1].text
        if len(words) > 1 and ending in PARTICLES:
            return self._by_spelling.get(spelled(words[:-1]))
        for particle in PARTICLES:
            if len(ending) > len(particle) and ending.endswith(particle):
                text = " ".join([*(word.text for word in words[:-1]), ending[: -len(particle)]])
                found = self._by_spelling.get(_SEPARATORS.sub("-", text).strip("-"))
                if found is not None:
                    return found
        return None

    def _similar(self, sentence: Sentence, taken: Collection[int], strange: Collection[int]) -> Meant | None:
        for at in sorted(strange):
            word = sentence.tokens[at].text
            if at in taken or not _SHORTEST_FUZZY <= len(word) <= _LONGEST_FUZZY:
                continue
            spelling = self._closest(spelled((sentence.tokens[at],)))
            if spelling is not None:
                return Meant(self._by_spelling[spelling], word, frozenset({at}), exact=False)
        return None

    def _closest(self, wanted: str) -> str | None:
        """The known spelling a wanted one stands for, if exactly one kind of likeness speaks for it."""
        shared = Counter(known for pair in _pairs(wanted) for known in self._by_pair.get(pair, ()))
        likely = [known for known, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:12]]
        alike = difflib.get_close_matches(wanted, likely, n=1, cutoff=_ALIKE)
        if alike:
            return alike[0]
        having = self._by_part.get(wanted, [])
        return min(having, key=lambda known: (len(known), known)) if 0 < len(having) <= _AMBIGUOUS else None


def spelled(tokens: Iterable[Token]) -> str:
    """One spelling for names that differ only in case, dots, dashes, underscores and blanks."""
    return _SEPARATORS.sub("-", " ".join(token.text for token in tokens)).strip("-")


def _pairs(spelling: str) -> set[str]:
    return {spelling[at : at + 2] for at in range(len(spelling) - 1)}
