"""Deterministic identities: the same question, step or answer has the same id wherever and however often it is made."""

import hashlib
import zlib
from typing import Annotated

from pydantic import StringConstraints

TenantId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""At most 64 characters (docs/events.md); no separators that could make two tenants look alike in a key."""

QuestionId = Annotated[str, StringConstraints(min_length=1, max_length=128)]

ID_LENGTH = 32
"""Characters of a derived id: 128 bits in hexadecimal."""


def _digest(text: str) -> str:
    """Hash of length-prefixed parts, so that ("ab", "c") and ("a", "bc") never meet."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=ID_LENGTH // 2).hexdigest()


def trace_id(tenant_id: str, question_id: str) -> str:
    """The one trace of a question: sent twice it is one trace, in another tenant it is another."""
    return _digest(f"trace|{len(tenant_id)}:{tenant_id}|{len(question_id)}:{question_id}")


def call_id(trace: str, step_id: str, attempt: int) -> str:
    """The one call of a plan's step; `attempt` counts replans, not retries."""
    return _digest(f"call{_step(trace, step_id, attempt)}")


def stand_in_call_id(trace: str, step_id: str, attempt: int) -> str:
    """The call of a step's fallback."""
    return _digest(f"stand-in{_step(trace, step_id, attempt)}")


def _step(trace: str, step_id: str, attempt: int) -> str:
    return f"|{len(trace)}:{trace}|{len(step_id)}:{step_id}|{len(str(attempt))}:{attempt}"


def answer_id(trace: str) -> str:
    """The one answer of a trace."""
    return _digest(f"answer|{len(trace)}:{trace}")


def partition_of(trace: str, partitions: int) -> int:
    """The partition in which all that concerns a trace meets; always sent explicitly."""
    return zlib.crc32(trace.encode()) % partitions
