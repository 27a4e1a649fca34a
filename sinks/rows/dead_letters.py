"""Dead letters: what could not be taken, where it lay and why."""

from __future__ import annotations

from base64 import b64decode

from schemas.deadletters import DeadLetter
from schemas.questions import TENANT_HEADER
from sinks.rows.words import Origin, Rows


def letter_rows(event: DeadLetter, origin: Origin) -> Rows:
    return {
        "dead_letters": [
            {
                "tenant_id": _tenant_of(event),
                "origin_topic": event.origin_topic,
                "origin_partition": event.origin_partition,
                "origin_offset": event.origin_offset,
                "letter_topic": origin.topic,
                "letter_partition": origin.partition,
                "letter_offset": origin.offset,
                "code": event.code.value,
                "reason": event.reason,
                "at": event.at.timestamp(),
                "redriven": event.redriven,
                "key_b64": event.key_b64,
                "value_b64": event.value_b64,
                "value_length": event.value_length,
                "value_sha256": event.value_sha256,
                "headers": [{"name": pair.name, "value_b64": pair.value_b64} for pair in event.headers],
            }
        ]
    }


def _tenant_of(letter: DeadLetter) -> str:
    """The tenant its header names, as far as it is text; it was never checked."""
    named = next((pair.value_b64 for pair in letter.headers if pair.name == TENANT_HEADER), "")
    return b64decode(named).decode(errors="replace")[:64]
