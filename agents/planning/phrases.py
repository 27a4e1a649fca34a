"""What the rules planner says itself, in the language of the question."""

from typing import Final, NamedTuple


class Phrases(NamedTuple):
    """The sentences of one language; `{name}` and `{near}` are filled in."""

    unknown_name: str
    did_you_mean: str
    joined_by: str
    nothing_open: str
    left_open: str
    no_tool: str
    changes_nothing: str
    can_ask: str
    nothing_to_ask: str
    more: str
    modes: dict[str, str]


ENGLISH: Final = Phrases(
    unknown_name="I do not know '{name}' here, so I cannot answer that.",
    did_you_mean=" Did you mean {near}?",
    joined_by=" or ",
    nothing_open="Nothing can be asked here with this mode, role and choice of tools.",
    left_open="The question leaves open what it is about.",
    no_tool="I have no tool that answers this.",
    changes_nothing="I can look things up, but I change nothing.",
    can_ask="You can ask about:",
    nothing_to_ask="There is nothing you can ask here: no published tool is open to you.",
    more="; …",
    modes={"all": "several at once"},
)
KOREAN: Final = Phrases(
    unknown_name="'{name}'에 대해서는 아는 것이 없어 답할 수 없습니다.",
    did_you_mean=" 혹시 {near}을(를) 찾으시나요?",
    joined_by=" 또는 ",
    nothing_open="이 모드와 역할, 선택한 도구로는 물어볼 수 있는 것이 없습니다.",
    left_open="무엇에 대한 질문인지 분명하지 않습니다.",
    no_tool="이 질문에 답할 수 있는 도구가 없습니다.",
    changes_nothing="조회는 할 수 있지만 아무것도 변경하지 않습니다.",
    can_ask="다음을 물어볼 수 있습니다:",
    nothing_to_ask="여기서 물어볼 수 있는 것이 없습니다. 사용할 수 있는 공개된 도구가 없습니다.",
    more="; …",
    modes={
        "all": "여러 가지를 함께",
        "config": "구성",
        "metric": "지표",
        "history": "이력",
        "graph": "관계",
        "document": "문서",
    },
)


def phrases(language: str) -> Phrases:
    """The sentences of `ko`, else of English."""
    return KOREAN if language == "ko" else ENGLISH


def in_language_first(examples: tuple[str, ...], language: str) -> tuple[str, ...]:
    """Example questions, those written in the language before the others."""
    return tuple(sorted(examples, key=lambda text: is_korean(text) is not (language == "ko")))


def is_korean(text: str) -> bool:
    """Whether a question is written in Korean: it has Hangul in it."""
    return any("가" <= character <= "힣" for character in text)
