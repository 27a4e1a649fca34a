"""Masking credentials wherever a text leaves for people: error details, logs, dead letters."""

import logging
import re
from collections.abc import Callable
from typing import Any

from streams.secret_shapes import MASK, SHAPES, VALUED, is_placeholder

_LONGEST = 200_000
_HINT = re.compile(
    r"pass|pwd|secret|token|key|bearer|basic|cred|sig|://|AKIA|ASIA|AG|AI|gh[pousr]_|gl|xox|sk-|_live_|_test_|ya29|eyJ"
    r"|npm_|pypi|hf_|d\w+_v1|SG\.|hv[sbr]\.|NRAK|:AA|slack|discord|GOCSPX|whsec|dapi|negotiate|digest",
    re.IGNORECASE,
)
"""No credential is known without one of these: most texts end here."""


def masked(text: str) -> str:
    """The text with every credential replaced by ***MASKED***. Words around it stay."""
    if not _HINT.search(text):
        return text
    head, tail = text[:_LONGEST], text[_LONGEST:]
    for shape in SHAPES:
        head = shape.sub(MASK, head)
    for valued in VALUED:
        head = valued.sub(_without_value, head)
    return head + (MASK if tail else "")


def masked_bytes(content: bytes) -> bytes:
    """The same for bytes of any encoding that keeps ASCII; the very same object when there is nothing to mask."""
    text = content.decode("latin-1")
    clean = text if len(text) > _LONGEST else masked(text)
    return content if clean == text else clean.encode("latin-1")


def _without_value(found: re.Match[str]) -> str:
    value = found["value"]
    if is_placeholder(value) or MASK in value:
        return found[0]
    start, end = found.span("value")
    offset = found.start()
    return found[0][: start - offset] + MASK + found[0][end - offset :]


def redact_logs(redact: Callable[[str], str] = masked) -> None:
    """From now on no record of this process says a credential: message, arguments and traceback are masked before
    any handler sees them. Doing it twice is once."""
    make = logging.getLogRecordFactory()
    if isinstance(make, _RedactingFactory):
        return
    logging.setLogRecordFactory(_RedactingFactory(make, redact))


class _RedactingFactory:
    def __init__(self, make: Callable[..., logging.LogRecord], redact: Callable[[str], str]) -> None:
        self._make = make
        self._redact = redact

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        try:
            said = record.getMessage()
        except (TypeError, ValueError):
            return record  # arguments that do not fit: logging says so itself
        clean = self._redact(said)
        if clean != said:
            record.msg, record.args = clean, ()
        if record.exc_info:
            record.exc_text = self._redact(logging.Formatter().formatException(record.exc_info))
        return record
