"""Parts of a tool's calls: which part a call belongs to, and under which key all of one part meet."""

import zlib
from typing import NamedTuple

MAX_SHARDS = 64


class Shard(NamedTuple):
    """Part `number` (from 0) of `of`. A tool that is not divided is one whole."""

    number: int = 0
    of: int = 1

    def share(self, limit: int) -> int:
        """This part of a limit. All parts together make the limit, as long as it is at least `of`; a part never
        gets less than 1."""
        return max(1, limit // self.of + (self.number < limit % self.of))

    def key(self, tool_id: str) -> str:
        """What the part's calls have in common on the road: the tool's id, or `tool_id#number`."""
        return tool_id if self.of == 1 else f"{tool_id}#{self.number}"


WHOLE = Shard()


def shard_of(call_id: str, shards: int) -> Shard:
    """The part a call belongs to; a number of parts that cannot be is brought within 1 to 64."""
    if shards <= 1:
        return WHOLE
    count = min(shards, MAX_SHARDS)
    return Shard(zlib.crc32(call_id.encode()) % count, count)


def all_shards(count: int) -> tuple[Shard, ...]:
    """All parts, in order."""
    return tuple(Shard(index, count) for index in range(count)) if count > 1 else (WHOLE,)
