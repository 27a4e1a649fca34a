"""Wayfinding: what can be asked, for those who ask for help and for those whose question is not understood."""

import re
from collections.abc import Collection

from agents.planning.phrases import in_language_first, phrases
from agents.planning.reading.reader import Reader
from agents.planning.retrieval import Document, Index
from agents.planning.sentence import Sentence
from schemas.questions import Mode

MAX_SUGGESTIONS = 3
_PER_MODE = 3
_LOOKED_AT = 24
"""Templates among which suggestions in the question's language are sought."""
_LONGEST_HELP = 12
"""Tokens in the longest question for help; a longer one is about something."""

_HELP = re.compile(
    r"^(?:please )?(?:help(?: me)?(?: please)?|usage|commands|examples?|menu)$"
    r"|^what (?:all )?(?:can|could|may) (?:you|i|we|opsloom|one)(?: \w+)? (?:do|ask|answer|know|tell)"
    r"(?: (?:you|me|us|here|about))*$"
    r"|^what do you know(?: about)?$"
    r"|^(?:what|which) (?:questions|things) (?:can|could|may|do) (?:you|i|we|opsloom) \w+(?: \w+)?$"
    r"|\bhow (?:do|can|should) (?:i|we) (?:use (?:you|this|opsloom)|ask)\b|\bwhat are you(?: able to do| for)?$"
    r"|^도움 ?말|^사용 ?법|(?:무엇을|뭘|무슨 질문을|어떤 질문을) (?:할|물어|물을|해|도와)"
)


def asks_for_help(sentence: Sentence) -> bool:
    """Does the question ask what can be asked?"""
    return len(sentence.tokens) <= _LONGEST_HELP and _HELP.search(sentence.text) is not None


def of_datasets(reader: Reader) -> tuple[str, ...]:
    """Example questions about the datasets there are."""
    return tuple(example for each in reader.vocabulary.datasets.values() for example in each.examples)


_ORDERS = (
    "delete|drop|truncate|insert|restart|reboot|kill|revoke|reassign|terminate|shutdown|shut down|roll back|disable"
    "|enable|wipe|purge|erase|reset|scale|set|assign|close|reopen|cancel|remove|update|create|approve|grant|refund|deploy"
)
_OBJECTS = (
    "all|the|my|every|this|that|these|those|our|tickets?|orders?|service|host|user|alerts?|incidents?|outages?|permissions?|table"
    "|rows?|everything|it|a|an"
)
_OF_IT = "procedures?|steps|guide|instructions|counts?|rates?|history|runbook"
_SURE_ORDERS = (
    "revoke|reassign|assign|disable|wipe|erase|reopen|approve|acknowledge"
    "|restart|reboot|kill|terminate|shutdown|shut down|roll back|delete|drop|truncate|purge|wipe"
)
_CHANGE = re.compile(
    rf"^(?:please |can you |could you |would you |go |now )*(?:{_SURE_ORDERS}) (?!{_OF_IT})\S+(?: \S+){{0,3}}$|"
    rf"^(?:please |can you |could you |would you |go |now )*(?:{_ORDERS}) (?:{_OBJECTS})(?!\S)"
    r"|(?:삭제|재시작|종료|취소|수정|변경|추가|배포|롤백|환불|승인|회수)(?:해|해줘|해주세요|시켜|시켜줘|하라|하자)$"
    r"|(?:지워|비워|없애|바꿔|닫아|옮겨|돌려|내려|올려|꺼)(?: ?줘| ?주세요)$|지워$"
)


def asks_to_change(sentence: Sentence) -> bool:
    """Does the question, plainly, order something to be done instead of asking?"""
    return _CHANGE.search(sentence.text) is not None


def help_text(
    index: Index, open_documents: Collection[int], language: str = "en"
) -> tuple[str, tuple[str, ...]]:
    """What can be asked, by mode, and up to three examples of it."""
    say = phrases(language)
    by_mode: dict[Mode, list[str]] = {}
    for number in sorted(open_documents):
        asset = index.documents[number].asset
        by_mode.setdefault(asset.mode, []).append(in_language_first(asset.examples, language)[0])
    lines = [say.can_ask]
    for mode in Mode:
        examples = list(in_language_first(tuple(by_mode.get(mode, ())), language))
        if examples:
            by_mode[mode] = examples
            shown = "; ".join(examples[:_PER_MODE])
            more = say.more if len(examples) > _PER_MODE else ""
            lines.append(f"- {say.modes.get(mode.value, mode.value)}: {shown}{more}")
    if len(lines) == 1:
        return say.nothing_to_ask, ()
    return "\n".join(lines), tuple(examples[0] for examples in by_mode.values())[:MAX_SUGGESTIONS]


def suggestions(
    index: Index, sentence: Sentence, open_documents: Collection[int], language: str = "en"
) -> tuple[str, ...]:
    """Up to three example questions, in the language where there are such: the nearest templates' first, then any, so
    that there is always a way on."""
    near = index.best(sentence, MAX_SUGGESTIONS, open_documents)
    rest = [number for number in sorted(open_documents) if number not in near]
    looked_at = (near + rest)[:_LOOKED_AT]
    found = dict.fromkeys(_nearest_example(index.documents[number], sentence) for number in looked_at)
    return in_language_first(tuple(found), language)[:MAX_SUGGESTIONS]


def _nearest_example(document: Document, sentence: Sentence) -> str:
    """The example of a document that shares most words with the question, the first one on a tie."""
    asked = {token.stem for token in sentence.tokens if not token.stop}
    korean = any("가" <= token.text[0] <= "힣" for token in sentence.tokens)

    def shared(at: int) -> tuple[bool, int, int]:
        tokens = document.examples[at].sentence.tokens
        same_script = any("가" <= token.text[0] <= "힣" for token in tokens) == korean
        return (same_script, sum(token.stem in asked for token in tokens), -at)

    return document.asset.examples[max(range(len(document.examples)), key=shared)]
