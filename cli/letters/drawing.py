"""Dead letters for people, and as plain values for machines."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.aggregation.clean import line
from cli.letters.letter import Letter

SHOWN_BYTES = 2_000


def plain(letter: Letter) -> dict[str, Any]:
    """What `--json` gives; with the original bytes where the letter has them."""
    found: dict[str, Any] = {
        "letter_id": str(letter.origin),
        "origin_topic": letter.origin.topic,
        "origin_partition": letter.origin.partition,
        "origin_offset": letter.origin.offset,
        "code": letter.code,
        "reason": letter.reason,
        "at": letter.at,
        "tenant_id": letter.tenant_id,
        "value_length": letter.value_length,
        "redriven": letter.redriven,
    }
    return found


def plain_whole(letter: Letter) -> dict[str, Any]:
    """The same with key, value, digest and headers."""
    whole = letter.whole
    if whole is None:
        return plain(letter)
    headers = [{"name": pair.name, "value_b64": pair.value_b64} for pair in whole.headers]
    return plain(letter) | {
        "key_b64": whole.key_b64,
        "value_b64": whole.value_b64,
        "value_sha256": whole.value_sha256,
        "headers": headers,
    }


def table(letters: Sequence[Letter]) -> Table:
    """One line a letter."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for name in ("letter", "code"):
        drawn.add_column(name, no_wrap=True)
    for name in ("at", "tenant", "reason"):
        drawn.add_column(name, overflow="fold")
    for letter in letters:
        again = f" (redriven {letter.redriven}×)" if letter.redriven else ""
        drawn.add_row(
            Text(line(str(letter.origin))),
            Text(letter.code, style="yellow"),
            Text(f"{letter.at:%m-%d %H:%M:%S}Z"),
            Text(line(letter.tenant_id, 64) or "–"),
            Text(line(letter.reason, 160) + again),
        )
    return drawn


def whole(letter: Letter) -> RenderableType:
    """One letter with its headers and the beginning of its value."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for name, value in plain(letter).items():
        if not name.startswith("origin_"):
            facts.add_row(Text(name), Text(line(str(value))))
    if letter.whole is None:
        return facts
    if letter.whole.key_b64 is not None:
        facts.add_row(Text("key"), Text(line(_readable(letter.whole.key_b64))))
    for pair in letter.whole.headers:
        facts.add_row(Text(f"header {line(pair.name, 64)}"), Text(line(_readable(pair.value_b64))))
    value = _readable(letter.whole.value_b64 or "")
    cut = (
        ""
        if len(value) <= SHOWN_BYTES
        else f"\n… {len(value) - SHOWN_BYTES:,} more characters (--json has all)"
    )
    return Group(facts, Text(), Text(_printable(value[:SHOWN_BYTES]) + cut))


def _readable(text_b64: str) -> str:
    return b64decode(text_b64).decode("utf-8", "backslashreplace")


def _printable(text: str) -> str:
    """No control character reaches the terminal."""
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)
