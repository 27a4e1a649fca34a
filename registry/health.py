"""The newest word on every tool's health, from memory. What is too old counts as nothing known."""

from collections.abc import Callable

from schemas.health import ToolHealth

STALE_S = 300.0
"""After so long a breaker that was open says nothing any more: the tool is tried again where it is the better one."""

MOST = 10_000


class HealthBoard:
    """Calls itself like a function: tool id → `ToolHealth` or None. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._words: dict[str, ToolHealth] = {}

    def take(self, word: ToolHealth) -> None:
        """Note a word; an older one than what is known changes nothing."""
        known = self._words.get(word.tool_id)
        if known is not None and known.at > word.at:
            return
        if known is None and len(self._words) >= MOST:
            del self._words[next(iter(self._words))]
        self._words[word.tool_id] = word

    def __call__(self, tool_id: str) -> ToolHealth | None:
        word = self._words.get(tool_id)
        if word is None or self._clock() - word.at > STALE_S:
            return None
        return word

    def all(self) -> tuple[ToolHealth, ...]:
        """Every tool's newest word, however old, by tool id."""
        return tuple(self._words[tool_id] for tool_id in sorted(self._words))
