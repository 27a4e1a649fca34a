"""Who waits for what: answers by trace, dead letters by where the question was written."""

import asyncio
import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from opsloom.errors import Refused
from schemas.answers import AnswerComposed
from streams.codecs import Codec, DecodeError
from streams.deadletters import decode_dead_letter
from streams.topics import Topics

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""

LETTERS_KEPT = 256
"""Dead letters read before the question's own acknowledgement arrived."""

ANSWERS = {AnswerComposed.__name__: AnswerComposed}


class Waiting:
    """Turns records into results of futures. All calls come from one event loop."""

    def __init__(self, topics: Topics, codec: Codec, on_answer: Callable[[Any], None] | None = None) -> None:
        """`on_answer` is given every record of the answers first."""
        self._topics = topics
        self._on_answer = on_answer
        self._codec = codec
        self._by_trace: defaultdict[bytes, list[asyncio.Future[AnswerComposed]]] = defaultdict(list)
        self._by_place: dict[Place, asyncio.Future[AnswerComposed]] = {}
        self._place_of: dict[asyncio.Future[AnswerComposed], Place] = {}
        self._letters: OrderedDict[Place, Refused] = OrderedDict()

    @property
    def count(self) -> int:
        """How many wait at the moment."""
        return sum(len(futures) for futures in self._by_trace.values())

    @contextlib.contextmanager
    def on(self, trace: str) -> Iterator["asyncio.Future[AnswerComposed]"]:
        """A future of the trace's answer, known only inside the block."""
        key = trace.encode()
        future: asyncio.Future[AnswerComposed] = asyncio.get_running_loop().create_future()
        self._by_trace[key].append(future)
        try:
            yield future
        finally:
            self._by_trace[key].remove(future)
            if not self._by_trace[key]:
                del self._by_trace[key]
            if (place := self._place_of.pop(future, None)) is not None:
                del self._by_place[place]
            future.cancel()

    def blame(self, place: Place, future: "asyncio.Future[AnswerComposed]") -> None:
        """Let a dead letter about the record at `place` end the waiting."""
        if refused := self._letters.get(place):
            _fail(future, refused)
        else:
            self._by_place[place] = future
            self._place_of[future] = place

    def take(self, record: Any) -> None:
        """One record of the answers or dead letters."""
        if record.topic == self._topics.dead_letters:
            self._take_letter(record.value)
            return
        if self._on_answer is not None:
            self._on_answer(record)
        if record.key in self._by_trace:
            self._take_answer(record)

    def _take_answer(self, record: Any) -> None:
        try:
            answer = self._codec.decode(record.value, ANSWERS)
        except DecodeError:
            return  # not one of ours: nobody who waits can be helped by it
        for future in self._by_trace[record.key]:
            if not future.done():
                future.set_result(answer)

    def _take_letter(self, value: bytes | None) -> None:
        try:
            letter = decode_dead_letter(value or b"")
        except msgspec.DecodeError:
            return
        place = letter.origin_topic, letter.origin_partition, letter.origin_offset
        refused = Refused(
            letter.code,
            f"The question was not taken ({letter.code.value}): {letter.reason}.",
            "`opsloom dead-letters list` has it in full.",
            sent=True,
        )
        if future := self._by_place.get(place):
            _fail(future, refused)
        self._letters[place] = refused
        while len(self._letters) > LETTERS_KEPT:
            self._letters.popitem(last=False)


def _fail(future: "asyncio.Future[AnswerComposed]", refused: Refused) -> None:
    if not future.done():
        future.set_exception(refused)
