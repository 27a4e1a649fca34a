"""A small server that speaks Bolt 4.4, as far as reading needs it: scripted rows, errors, hangs and resets."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Structure(NamedTuple):
    tag: int
    fields: list[Any]


def node(identity: int, label: str, **properties: Any) -> Structure:
    return Structure(0x4E, [identity, [label], properties])


def packed(value: Any) -> bytes:
    """PackStream, as its specification says; only the sizes that tests need."""
    if value is None or isinstance(value, bool):
        return b"\xc0" if value is None else b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">b", value) if -16 <= value <= 127 else b"\xcb" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xc1" + struct.pack(">d", value)
    if isinstance(value, str):
        raw = value.encode()
        return b"\xd2" + struct.pack(">I", len(raw)) + raw
    if isinstance(value, Structure):
        return bytes([0xB0 + len(value.fields), value.tag]) + b"".join(map(packed, value.fields))
    if isinstance(value, list | tuple):
        return b"\xd6" + struct.pack(">I", len(value)) + b"".join(map(packed, value))
    assert isinstance(value, dict), value
    pairs = b"".join(packed(name) + packed(each) for name, each in value.items())
    return b"\xda" + struct.pack(">I", len(value)) + pairs


class Unpacker:
    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def _bytes(self, count: int) -> bytes:
        self._at += count
        return self._raw[self._at - count : self._at]

    def _size(self, width: str) -> int:
        return int(struct.unpack(f">{width}", self._bytes(struct.calcsize(width)))[0])

    def value(self) -> Any:
        mark = self._bytes(1)[0]
        high, low = mark & 0xF0, mark & 0x0F
        if mark < 0x80 or mark >= 0xF0:
            return struct.unpack(">b", bytes([mark]))[0]
        if mark in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[mark]
        if mark == 0xC1:
            return struct.unpack(">d", self._bytes(8))[0]
        if 0xC8 <= mark <= 0xCB:
            return self._size("bhiq"[mark - 0xC8])
        if high == 0x80 or 0xD0 <= mark <= 0xD2:
            return self._bytes(low if high == 0x80 else self._size("BHI"[mark - 0xD0])).decode()
        if high == 0x90 or 0xD4 <= mark <= 0xD6:
            return [self.value() for _ in range(low if high == 0x90 else self._size("BHI"[mark - 0xD4]))]
        if high == 0xA0 or 0xD8 <= mark <= 0xDA:
            count = low if high == 0xA0 else self._size("BHI"[mark - 0xD8])
            return {self.value(): self.value() for _ in range(count)}
        assert high == 0xB0, hex(mark)
        return Structure(self._bytes(1)[0], [self.value() for _ in range(low)])


class Rows(NamedTuple):
    columns: list[str]
    rows: list[list[Any]]


class Failure(NamedTuple):
    code: str
    message: str = "the server's own words, with names of its own"


Reply = Rows | Failure | None
"""None: the server never answers."""


@dataclass
class BoltServer:
    """`script` maps a statement and its values to the reply; what was asked is kept."""

    script: Callable[[str, dict[str, Any]], Reply]
    password: str = "secret"
    asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    port: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BoltServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(20)
            writer.write(b"\x00\x00\x04\x04")
            while True:
                await self._answer(await _message(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    _pending: Rows | None = None

    async def _answer(self, message: Structure, writer: asyncio.StreamWriter) -> None:
        success: dict[str, Any] = {}
        if message.tag == 0x01:
            success = {"server": "Neo4j/4.4.0", "connection_id": "bolt-1"}
            if message.fields[0].get("credentials", "") != self.password:
                return _send(writer, 0x7F, {"code": "Neo.ClientError.Security.Unauthorized", "message": "no"})
        elif message.tag == 0x02:
            raise ConnectionError
        elif message.tag == 0x10:
            statement, values, extra = message.fields
            self.asked.append((statement, values, extra))
            reply = self.script(statement, values)
            if reply is None:
                await asyncio.sleep(3_600)
            if isinstance(reply, Failure):
                return _send(writer, 0x7F, {"code": reply.code, "message": reply.message})
            assert isinstance(reply, Rows)
            self._pending = reply
            success = {"fields": reply.columns}
        elif message.tag == 0x3F and self._pending is not None:
            count = message.fields[0]["n"]
            rows, rest = self._pending.rows[:count], self._pending.rows[count:]
            for row in rows:
                _send(writer, 0x71, row)
            success = {"has_more": True} if rest else {"type": "r"}
            self._pending = Rows(self._pending.columns, rest)
        return _send(writer, 0x70, success)


async def _message(reader: asyncio.StreamReader) -> Structure:
    raw = b""
    while True:
        (size,) = struct.unpack(">H", await reader.readexactly(2))
        if size == 0:
            if raw:
                break
            continue
        raw += await reader.readexactly(size)
    message = Unpacker(raw).value()
    assert isinstance(message, Structure)
    return message


def _send(writer: asyncio.StreamWriter, tag: int, value: Any) -> None:
    raw = packed(Structure(tag, [value]))
    writer.write(struct.pack(">H", len(raw)) + raw + b"\x00\x00")
