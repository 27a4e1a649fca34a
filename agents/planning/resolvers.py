"""Resolvers: fill a template's parameters from the words of a question. Pure; what they take is not read twice."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, TypeVar

from agents.planning.lexicon import ASKING_WORDS, NUMBER_WORDS
from agents.planning.names import LONGEST_NAME, Names, spelled
from agents.planning.sentence import Sentence
from agents.planning.timeranges import TimeRange, find_time_range
from agents.planning.words import stem
from registry.assets import Parameter

_Seen = TypeVar("_Seen")

MAX_TEXT = 200
"""Characters of the question that a `text` parameter may take."""

_NUMBER = rf"(?P<n>\d{{1,9}}|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})"
_EXTREME = (
    r"(?:top|first|last|latest|newest|oldest|most|least|largest|biggest|smallest|highest|lowest|busiest|slowest"
    r"|fastest|longest|heaviest|hungriest|greediest|worst|best|recent|상위|하위|최근|가장|처음)"
)
_TOP_N = (
    re.compile(rf"(?<!\S)(?P<word>{_EXTREME}) {_NUMBER}(?: ?개)?(?!\S)"),
    re.compile(rf"(?<!\S){_NUMBER}(?= (?:\S+ )?{_EXTREME}(?!\S))"),
    re.compile(rf"(?<!\S){_NUMBER} ?(?:개|건|명|곳)(?:만|의|를)?(?!\S)"),
    re.compile(r"(?<!\S)(?P<n>\d{1,4})(?!\S)"),
)
_FREE_NUMBER = re.compile(r"(?<![\w.])(?P<n>-?\d{1,15}(?:\.\d{1,6})?)(?: ?%|(?=\s|$)|(?=[a-z]{1,2}(?!\S)))")
_QUOTED = re.compile(r"[\"“”「『]([^\"“”」』]{2,200})[\"“”」』]|(?<!\w)'([^']{2,200})'(?!\w)")
_ABOUT = re.compile(
    r"(?<!\S)(?:about|regarding|concerning|on how to|how to|mentions?|mentioning|says? (?:about|on)|for|on)(?!\S)"
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What resolvers may know: the sentence, which tokens no template knows, the moment, and the known names."""

    sentence: Sentence
    question: str
    strange: frozenset[int]
    now: float
    names: Callable[[str, Parameter], Names]
    """Parameter name and declaration → its known names."""
    zone: tzinfo = UTC
    """The asker's."""
    seen: dict[tuple[object, ...], Any] = field(default_factory=dict)
    """What was looked for already: candidates share most of it."""

    def once(self, key: tuple[object, ...], look: Callable[[], _Seen]) -> _Seen:
        """What `look` finds, looked for once for each key."""
        if key not in self.seen:
            self.seen[key] = look()
        return self.seen[key]  # type: ignore[no-any-return]  # each key has one kind of value


@dataclass(frozen=True, slots=True)
class Found:
    """Arguments for one parameter, the tokens they were read from, and a note for the plan's reasons."""

    args: Mapping[str, Any]
    tokens: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """The parameter cannot be filled; `named` is what the question named and nobody knows, if it did."""

    reason: str
    named: str = ""
    tokens: frozenset[int] = frozenset()
    """The tokens that named it."""


_ASKING_STEMS = frozenset(stem(word) for word in ASKING_WORDS)

_ORDER = ("time_range", "top_n", "enum", "entity", "number", "text")
"""Telling expressions first, so that "last 5 minutes" is not read as five of something."""


@dataclass(frozen=True, slots=True)
class Filling:
    """All parameters of a template filled."""

    args: dict[str, Any]
    taken: Mapping[int, str]
    """Token → the kind of resolver that read it."""
    notes: tuple[str, ...]


def fill(parameters: Mapping[str, Parameter], situation: Situation) -> Filling | Missing:
    """Fill all parameters, or say which one cannot be."""
    args: dict[str, Any] = {}
    taken: dict[int, str] = {}
    notes: list[str] = []
    for name, parameter in sorted(parameters.items(), key=lambda item: _ORDER.index(item[1].resolver)):
        found = _RESOLVERS[parameter.resolver](name, parameter, situation, taken)
        if isinstance(found, Missing):
            return found
        args.update(found.args)
        taken.update(dict.fromkeys(found.tokens, parameter.resolver))
        if found.note:
            notes.append(found.note)
    return Filling(args, taken, tuple(notes))


def _time_range(
    name: str, parameter: Parameter, situation: Situation, taken: Collection[int]
) -> Found | Missing:
    key = ("time_range", frozenset(taken))
    found = situation.once(key, lambda: _period(situation, taken))
    if found is not None:
        note = f"read {name} as '{found.words}'"
        return Found({f"{name}_from": found.since, f"{name}_to": found.until}, found.tokens, note)
    if parameter.default is None:
        return Missing(f"no time range for {name}")
    default = find_time_range(Sentence.read(str(parameter.default)), situation.now, (), situation.zone)
    if default is None:
        return Missing(f"the default '{parameter.default}' of {name} is not a time range")
    args = {f"{name}_from": default.since, f"{name}_to": default.until}
    return Found(args, note=f"no {name} given: {parameter.default}")


def _period(situation: Situation, taken: Collection[int]) -> TimeRange | None:
    return find_time_range(situation.sentence, situation.now, taken, situation.zone)


def _top_n(name: str, parameter: Parameter, situation: Situation, taken: Collection[int]) -> Found | Missing:
    key = ("top_n", frozenset(taken))
    match = situation.once(key, lambda: _first_match(situation.sentence, _TOP_N, taken))
    if match is not None:
        wanted = _whole(match["n"])
        bounded = _bounded(wanted, parameter)
        note = f"read {name} as {bounded:g}"
        if bounded != wanted:
            note += f" instead of {wanted}, its bound"
        first = situation.sentence.covered(match)
        return Found({name: int(bounded)}, first, note)
    return _default(name, parameter, "no number")


def _first_match(
    sentence: Sentence, patterns: Iterable[re.Pattern[str]], taken: Collection[int]
) -> re.Match[str] | None:
    found = (sentence.search(pattern, taken) for pattern in patterns)
    return next((match for match in found if match is not None), None)


def _number(name: str, parameter: Parameter, situation: Situation, taken: Collection[int]) -> Found | Missing:
    match = situation.sentence.search(_FREE_NUMBER, taken)
    if match is None:
        return _default(name, parameter, "no number")
    value = float(match["n"])
    if _bounded(value, parameter) != value:
        return Missing(f"{value:g} is out of bounds for {name}", named=match["n"])
    if parameter.type == "integer":
        if not value.is_integer():
            return Missing(f"{value:g} is not a whole number for {name}", named=match["n"])
        value = int(value)
    return Found({name: value}, situation.sentence.covered(match), f"read {name} as {value:g}")


def _enum(name: str, parameter: Parameter, situation: Situation, taken: Collection[int]) -> Found | Missing:
    spellings = {_stems(Sentence.read(value)): value for value in parameter.values}
    spellings |= {_stems(Sentence.read(alias)): value for alias, value in parameter.aliases.items()}
    sentence = situation.sentence
    for start, end in sentence.free_spans(LONGEST_NAME, taken):
        value = spellings.get(tuple(token.stem for token in sentence.tokens[start:end]))
        if value is not None:
            return Found({name: value}, frozenset(range(start, end)), f"read {name} as '{value}'")
    return _default(name, parameter, "no choice")


def _entity(name: str, parameter: Parameter, situation: Situation, taken: Collection[int]) -> Found | Missing:
    names = situation.names(name, parameter)
    sentence, free = situation.sentence, situation.strange.difference(taken)
    key = ("entity", id(names), frozenset(taken))
    meant = situation.once(key, lambda: names.find(sentence, taken, free))
    if meant is not None:
        note = f"read {name} as '{meant.name}'"
        if not meant.exact:
            note += f", the known name most like '{meant.words}'"
        return Found({name: meant.name}, meant.tokens, note)
    unknown = " ".join(sentence.tokens[at].text for at in sorted(free))[:60]
    if unknown:
        return Missing(f"'{unknown}' is not a known {_said(name)}", unknown, free)
    if not len(names):
        return Missing(f"no {_said(name)} is known yet")
    return _default(name, parameter, f"no {_said(name)}")


def _text(name: str, parameter: Parameter, situation: Situation, taken: Collection[int]) -> Found | Missing:
    sentence = situation.sentence
    quoted = _QUOTED.search(situation.question)
    if quoted is not None:
        words = (quoted[1] or quoted[2]).strip()[:MAX_TEXT]
        tokens = _tokens_spelled(sentence, words)
        return Found({name: words}, tokens, f"read {name} as the quoted words")
    about = sentence.search(_ABOUT, taken)
    start = 0 if about is None else max(sentence.covered(about)) + 1
    if parameter.default is not None and not start:
        return _default(name, parameter, "no words")
    chosen = _content(sentence, start if parameter.default is not None else 0, taken)
    if not chosen:
        return _default(name, parameter, "no words")
    words = " ".join(sentence.tokens[at].text for at in chosen)[:MAX_TEXT]
    return Found({name: words}, frozenset(chosen), f"searched for '{words[:60]}'")


def _content(sentence: Sentence, start: int, taken: Collection[int]) -> list[int]:
    """The tokens to search for: those that mean something, but for the words that only ask for a search."""
    free = [
        at for at in range(start, len(sentence.tokens)) if at not in taken and not sentence.tokens[at].stop
    ]
    return [at for at in free if sentence.tokens[at].stem not in _ASKING_STEMS] or free


def _tokens_spelled(sentence: Sentence, words: str) -> frozenset[int]:
    wanted = spelled(Sentence.read(words).tokens)
    for start, end in sentence.free_spans(LONGEST_NAME * 2, ()):
        if spelled(sentence.tokens[start:end]) == wanted:
            return frozenset(range(start, end))
    return frozenset()


def _default(name: str, parameter: Parameter, lacking: str) -> Found | Missing:
    if parameter.default is None:
        return Missing(f"{lacking} given for {name}")
    return Found({name: parameter.default}, note=f"{lacking} given for {name}: {parameter.default}")


def _bounded(value: float, parameter: Parameter) -> float:
    low = parameter.minimum if parameter.minimum is not None else value
    high = parameter.maximum if parameter.maximum is not None else value
    return min(max(value, low), high)


def _whole(words: str) -> int:
    return int(words) if words.isdecimal() else NUMBER_WORDS[words]


def _stems(sentence: Sentence) -> tuple[str, ...]:
    return tuple(token.stem for token in sentence.tokens)


def _said(name: str) -> str:
    return name.replace("_", " ")


_Resolve = Callable[[str, Parameter, Situation, Collection[int]], Found | Missing]
_RESOLVERS: Mapping[str, _Resolve] = {
    "time_range": _time_range,
    "top_n": _top_n,
    "enum": _enum,
    "entity": _entity,
    "number": _number,
    "text": _text,
}
