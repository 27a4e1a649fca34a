"""Times told by an event: "since the last deployment of checkout", "마지막 배포 이후". A question in two parts."""

import re
from typing import Final, NamedTuple

_EVENT: Final = r"(?:last|latest|most recent|previous|first|recent)"
_ENGLISH: Final = re.compile(
    r"(?:^|(?<=\s))(?P<how>since|after|before|until|following|prior to) (?:the |our |that |its )?"
    rf"(?P<event>{_EVENT} [^,?]+)"
)
_KOREAN: Final = re.compile(
    r"(?P<event>(?:\S+ )*?(?:마지막|최근|직전|지난번) .*?) ?(?P<how>이후|이전|전|후|뒤)(?:로|에|의|에는)? (?P<main>.+)"
)
_BEFORE: Final = frozenset({"before", "until", "prior to", "이전", "전"})
_STRICTLY: Final = frozenset({"after", "following", "후", "뒤"})


class Anchor(NamedTuple):
    """What is asked, the event whose time it is counted from, and on which side of it."""

    main: str
    event: str
    op: str
    """lt, gt or gte."""


def anchor_in(text: str) -> Anchor | None:
    """The two parts of a question that counts from an event; None for all others. Which rows the event is of is
    for the reader to find out."""
    match = _ENGLISH.search(text)
    if match is not None:
        main = f"{text[: match.start()]} {text[match.end() :]}".strip(" ,")
    else:
        match = _KOREAN.fullmatch(text)
        if match is None:
            return None
        main = match["main"]
    how = match["how"]
    op = "lt" if how in _BEFORE else "gt" if how in _STRICTLY else "gte"
    return Anchor(main, match["event"].strip(), op) if main else None
