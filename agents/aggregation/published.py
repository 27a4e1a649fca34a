"""Which answers lie in the answers topic although the join does not remember them, and from where to look for them."""

from collections.abc import Callable, Iterable


class PublishedAnswers:
    """What one assignment of a partition knows of the answers published there.

    An answer is marked in the join after it was acknowledged. A worker that dies in between leaves an answer without
    a mark; the input that led to it is read again by the next owner, who must not publish it again. `at` is the
    offset from which the owner after that has to look: it stays where the search began until each such answer has
    its mark, because the next owner may die as well, half-way through that input.
    """

    def __init__(
        self, start: int, end: int, found: Iterable[bytes], is_marked: Callable[[bytes], bool]
    ) -> None:
        """`found`: keys of the answers in start … end - 1; `is_marked`: whether the join remembers one."""
        self._start = start
        self._end = end
        self._found = set(found)
        self._unmarked = {key for key in self._found if not is_marked(key)}

    @property
    def at(self) -> int:
        """Everything below this offset is marked."""
        return self._start if self._unmarked else self._end

    def holds(self, trace_id: str) -> bool:
        """Whether the answer was there when the partition was assigned."""
        return trace_id.encode() in self._found

    def acknowledged(self, end: int) -> None:
        """Answers up to this offset are acknowledged; their marks leave next."""
        self._end = max(self._end, end)

    def marked(self, trace_ids: Iterable[str]) -> None:
        """The marks of these traces are acknowledged."""
        if self._unmarked:
            self._unmarked.difference_update(trace_id.encode() for trace_id in trace_ids)
