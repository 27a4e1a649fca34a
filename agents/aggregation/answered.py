"""Which traces are answered: the lasting mark that a second answer must not follow."""

from collections.abc import Iterator


class Answered:
    """Marks by partition, oldest first. A mark costs about a hundred bytes: there are as many as questions within
    the retention, so they are kept apart from the open rows."""

    def __init__(self) -> None:
        self._at: dict[int, dict[bytes | str, float]] = {}

    def add(self, partition: int, trace_id: str, at: float) -> None:
        self._at.setdefault(partition, {})[_key(trace_id)] = at

    def discard(self, partition: int, trace_id: str) -> None:
        self._at.get(partition, {}).pop(_key(trace_id), None)

    def holds(self, partition: int, trace_id: str) -> bool:
        return _key(trace_id) in self._at.get(partition, ())

    def forget(self, partition: int) -> None:
        """The partition is somebody else's now."""
        self._at.pop(partition, None)

    def count(self, partition: int) -> int:
        return len(self._at.get(partition, ()))

    def expired(self, partition: int, before: float) -> Iterator[str]:
        """Take out the marks set before a moment; gives their trace ids."""
        marks = self._at.get(partition, {})
        while marks:
            key = next(iter(marks))
            if marks[key] >= before:
                return
            del marks[key]
            yield key if isinstance(key, str) else key.hex()


def _key(trace_id: str) -> bytes | str:
    """A trace id of ours is 32 hexadecimal digits: 16 bytes."""
    try:
        key = bytes.fromhex(trace_id)
    except ValueError:
        return trace_id
    return key if len(key) == 16 and key.hex() == trace_id else trace_id
