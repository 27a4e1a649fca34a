"""What tools return is somebody else's text: nothing in it may steer a terminal, a page or the reader's
eye."""

import re
from typing import Final

from schemas.word import Json

MAX_CELL_CHARACTERS: Final = 1_000
MAX_INLINE_CHARACTERS: Final = 500
_SAFE_INTEGER: Final = 2**63 - 1

_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links, strings
    r"|\x1b[ -/]*[0-~]?"
)
_FAKE_MARK: Final = re.compile(r"\[(\d+)\]")
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>#|!~&])")


def line(text: str, limit: int = MAX_CELL_CHARACTERS) -> str:
    """The text as one printable line of at most `limit` characters: no escapes, controls, directional
    overrides or lone surrogates; white space of any kind becomes a blank."""
    if not text.isprintable():
        text = "".join(map(_printable, _ESCAPES.sub("", text))).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def lines(text: str, limit: int) -> str:
    """The same for text of several lines: line breaks stay."""
    if not text.isprintable():
        text = "\n".join(line(part, limit) for part in re.split(r"\r\n|\r|\n", text))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def inline(text: str) -> str:
    """A value inside a sentence: one short line that cannot pass for a reference mark such as [1]."""
    text = line(text, MAX_INLINE_CHARACTERS)
    return _FAKE_MARK.sub(r"(\1)", text) if "[" in text else text


def as_markdown(text: str) -> str:
    """Text in which no character has a meaning in Markdown or HTML."""
    return _MARKDOWN.sub(r"\\\1", text)


def cell(value: Json) -> Json:
    """A scalar fit for any reader: strings as one line, numbers that every JSON reader can hold."""
    kind = type(value)
    if kind is str:
        return line(value)
    if kind is int:
        return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else str(value)
    if kind is float:
        return value if value - value == 0.0 else None  # NaN and infinities are no figures
    if value is None or kind is bool:
        return value
    return line(str(value))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    return "\ufffd" if "\ud800" <= character <= "\udfff" else ""
