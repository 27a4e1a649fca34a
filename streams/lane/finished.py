"""Which offsets beyond the committed one are finished, as text for the commit's metadata.

The broker keeps at most 4,096 characters beside an offset (offset.metadata.max.bytes). A bitmap, deflated and in
base 85, holds thousands of calls in that; what does not fit counts as unfinished and is done again.
"""

import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterable

LIMIT_CHARACTERS = 4_000
LIMIT_OFFSETS = 1_000_000
"""A note that claims more than this is not ours."""


def write_finished(low: int, end: int, unfinished: Iterable[int]) -> str:
    """Text that says which of the offsets low … end - 1 are finished: all but `unfinished`."""
    unfinished = list(unfinished)
    while end > low:
        bits = bytearray(b"\xff" * ((end - low + 7) // 8))
        for offset in unfinished:
            if offset < end:
                bits[(offset - low) >> 3] &= ~(1 << ((offset - low) & 7))
        text = f"{end - low}:" + b85encode(zlib.compress(bytes(bits), 9)).decode()
        if len(text) <= LIMIT_CHARACTERS:
            return text
        end = low + (end - low) * 3 // 4
    return ""


def read_finished(low: int, text: str) -> frozenset[int]:
    """The finished offsets that `write_finished` noted. A note that is not ours counts as nothing finished."""
    count_text, separator, packed = text.partition(":")
    if not separator or not count_text.isascii() or not count_text.isdigit():
        return frozenset()
    count = int(count_text)
    try:
        bits = zlib.decompressobj().decompress(b85decode(packed), LIMIT_OFFSETS // 8)
    except (ValueError, zlib.error):
        return frozenset()
    if count > len(bits) * 8:
        return frozenset()
    return frozenset(low + i for i in range(count) if bits[i >> 3] >> (i & 7) & 1)
