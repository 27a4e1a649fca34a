"""The body of a reply, counted while it arrives and while it grows: no bomb, no endless stream."""

import zlib
from collections.abc import AsyncIterator

_PIECE = 64 * 1024
_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class TooLarge(Exception):
    """The body has more bytes than the caller takes."""


class BrokenBody(Exception):
    """The body is not what its headers say."""


class Inflater:
    """Undoes one content encoding, piece by piece, so that no more than a piece beyond the cap is ever held."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", *_WINDOWS):
            raise BrokenBody("a content encoding nobody asked for")
        self._left = max_bytes
        self._window = _WINDOWS.get(encoding)
        self._decoder = None if self._window is None else zlib.decompressobj(self._window)
        self._first = True

    def fed(self, chunk: bytes) -> bytes:
        """What a chunk comes to. Raises `TooLarge` and `BrokenBody`."""
        if self._decoder is None:
            return self._counted(chunk)
        pieces = []
        pending = chunk
        while pending:
            piece = self._inflated(pending)
            pieces.append(self._counted(piece))
            pending = self._decoder.unconsumed_tail
            if self._decoder.eof:
                break
        return b"".join(pieces)

    def ended(self) -> None:
        """The stream is over. Raises `BrokenBody` when the encoding says there was more."""
        if self._decoder is not None and not self._first and not self._decoder.eof:
            raise BrokenBody("a compressed body that was cut")

    def _inflated(self, pending: bytes) -> bytes:
        assert self._decoder is not None
        first, self._first = self._first, False
        try:
            return self._decoder.decompress(pending, _PIECE)
        except zlib.error as error:
            if first and self._window == zlib.MAX_WBITS:
                # Some servers send "deflate" without its zlib header.
                self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
                try:
                    return self._decoder.decompress(pending, _PIECE)
                except zlib.error:
                    pass
            raise BrokenBody("a compressed body that cannot be read") from error

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge
        return piece


async def inflated(
    chunks: AsyncIterator[bytes], encoding: str, declared: int | None, max_bytes: int
) -> bytes:
    """A whole body of at most `max_bytes` bytes, before and after its encoding is undone."""
    if declared is not None and declared > max_bytes:
        raise TooLarge
    inflater, received, pieces = Inflater(encoding, max_bytes), 0, []
    async for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise TooLarge
        pieces.append(inflater.fed(chunk))
    inflater.ended()
    return b"".join(pieces)
