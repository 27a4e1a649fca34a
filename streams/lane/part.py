"""What one assignment of one partition has read, and which of it is unfinished."""

from typing import Any

from faust.types import TP


class Part:
    """One partition during one assignment. Unfinished work stands in the order in which it was read, so its first
    key is the offset that may be committed; a partition that comes back gets a new Part, and late
    acknowledgements of the old one change nothing."""

    __slots__ = ("committed", "next", "note", "pending", "state", "tp")

    def __init__(self, tp: TP, offset: int | None, note: str) -> None:
        self.tp = tp
        self.next = offset
        """Next offset to read; None until the first record when nothing was ever committed."""
        self.note = note
        """What the committed offset's metadata said when the partition was assigned."""
        self.pending: dict[int, Any] = {}
        """First offset of a piece of unfinished work to its mark, in reading order."""
        self.state: Any = None
        """What the lane itself keeps for this assignment; set in `Lane.assigned`."""
        self.committed: tuple[int | None, str] = (offset, note)

    def low(self) -> int | None:
        """The offset below which everything is finished."""
        return next(iter(self.pending), self.next)
