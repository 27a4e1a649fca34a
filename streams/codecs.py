"""Events to bytes and back: JSON, or Avro in Confluent's frame. Both are read, told apart message by message.

What comes from outside is validated by pydantic (`streams/intake.py`). What opsloom wrote itself is read by msgspec
into the same classes: it checks types too, at a quarter of the cost.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from struct import Struct
from typing import Any, Literal, TypeVar, cast, get_args

import fastavro
import fastavro.read
import fastavro.write
import msgspec

from schemas.avro import schema_of
from schemas.errors import ErrorCode
from schemas.events import EVENTS, AggregationEvent, Event
from streams.schema_ids import SchemaIds

E = TypeVar("E")

FRAME = Struct(">bI")
"""Confluent's frame: a zero byte, then the schema's id as 4 bytes, big-endian."""

_TAG = b'{"event":"'
"""Our own writer puts the event's name first."""


class DecodeError(Exception):
    """Bytes that are not the event they should be. `code` and `reason` go into the dead letter."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _EventName(msgspec.Struct):
    event: str


_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode


def _read_json_text(text: str, *_schemas: Any) -> Any:
    return _decode_json(text)


def _write_json_text(value: Any, *_schemas: Any) -> str:
    return _encode_json(value).decode()  # orjson refuses integers beyond 64 bits, which a store may hold


fastavro.read.LOGICAL_READERS["string-opsloom-json"] = _read_json_text
fastavro.write.LOGICAL_WRITERS["string-opsloom-json"] = _write_json_text

_decode_name = msgspec.json.Decoder(_EventName).decode
_json_decoders = {name: msgspec.json.Decoder(word) for name, word in EVENTS.items()}
_name_of = {word: name for name, word in EVENTS.items()}


class Codec:
    """Writes one way, reads both."""

    def __init__(self, ids: SchemaIds, written: Literal["json", "avro"] = "json") -> None:
        self.written = written
        self._ids = ids
        self._writers: dict[type, tuple[bytes, Any]] = {}
        self._known: dict[int, tuple[str, Any, Any]] = {}

    def encode(self, event: Event) -> bytes:
        """The event as bytes."""
        if self.written == "json":
            return _encode_json(event)
        writer = self._writers.get(type(event))
        if writer is None:
            name = _name_of[type(event)]
            schema_id = self._ids.id_of(name)
            known = self._ids.known(schema_id)
            assert known is not None
            writer = FRAME.pack(0, schema_id), fastavro.parse_schema(known.avro)
            self._writers[type(event)] = writer
        out = BytesIO()
        out.write(writer[0])
        document = msgspec.to_builtins(event, builtin_types=(datetime,))
        fastavro.schemaless_writer(out, writer[1], document, disable_tuple_notation=True)
        return out.getvalue()

    def decode(self, raw: bytes, words: Mapping[str, type[E]]) -> E:
        """Read one of `words` (name to class). Raises DecodeError."""
        if raw[:1] == b"\x00":
            name, document = self.read_frame(raw)
            word = _pick(name, words)
            try:
                return msgspec.convert(document, word)
            except msgspec.ValidationError as exc:
                raise DecodeError(ErrorCode.INVALID_EVENT, str(exc)) from exc
        try:
            if raw.startswith(_TAG):
                name = raw[len(_TAG) : raw.index(b'"', len(_TAG))].decode()
            else:
                name = _decode_name(raw).event
            _pick(name, words)
            return cast(E, _json_decoders[name].decode(raw))
        except msgspec.ValidationError as exc:
            raise DecodeError(ErrorCode.INVALID_EVENT, str(exc)) from exc
        except RecursionError as exc:
            raise DecodeError(ErrorCode.NESTED_TOO_DEEP, "the event is nested too deep to be read") from exc
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as exc:
            raise DecodeError(ErrorCode.NOT_JSON, "the event is not JSON") from exc

    def read_frame(self, raw: bytes) -> tuple[str, dict[str, Any]]:
        """The event's name and its fields out of a Confluent frame. Raises DecodeError."""
        if len(raw) < FRAME.size:
            raise DecodeError(
                ErrorCode.BROKEN_FRAME, f"an Avro frame has at least 5 bytes, this has {len(raw)}"
            )
        schema_id = FRAME.unpack_from(raw)[1]
        found = self._known.get(schema_id)
        if found is None:
            known = self._ids.known(schema_id)
            if known is None:
                raise DecodeError(ErrorCode.UNKNOWN_SCHEMA, f"schema id {schema_id} is not known")
            # Resolving one schema into another is slow; with equal ones there is nothing to resolve.
            mine = schema_of(EVENTS[known.event])
            reader = None if known.avro == mine else fastavro.parse_schema(mine)
            found = self._known[schema_id] = known.event, fastavro.parse_schema(known.avro), reader
        name, written_as, read_as = found
        body = BytesIO(raw)
        body.seek(FRAME.size)
        try:
            document = fastavro.schemaless_reader(body, written_as, read_as)
        except (
            Exception
        ) as exc:  # fastavro has no common error: whatever it raises, these bytes are not this schema
            raise DecodeError(ErrorCode.BROKEN_FRAME, f"the bytes do not fit schema id {schema_id}") from exc
        if body.tell() != len(raw):
            raise DecodeError(
                ErrorCode.BROKEN_FRAME, f"{len(raw) - body.tell()} bytes are left over after the event"
            )
        assert isinstance(document, dict)
        return name, document


def _pick(name: str, words: Mapping[str, type[E]]) -> type[E]:
    word = words.get(name)
    if word is None:
        raise DecodeError(ErrorCode.INVALID_EVENT, f"{name[:64]} does not belong on this topic")
    return word


AGGREGATION_WORDS: Mapping[str, type[AggregationEvent]] = {
    word.__name__: word for word in get_args(AggregationEvent)
}


def moment(seconds: float) -> datetime:
    """Unix seconds as a UTC datetime, the way users read moments."""
    return datetime.fromtimestamp(seconds, UTC)
