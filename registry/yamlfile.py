"""YAML read strictly: plain values only, and a key written twice is a fault, not a silent overwrite."""

from pathlib import Path
from typing import Any

import yaml

MAX_FILE_BYTES = 1024 * 1024


class YamlFault(ValueError):
    """What is wrong with a file, and what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint


class _StrictLoader(yaml.SafeLoader):
    """Refuses duplicate keys, and aliases, which a small file needs not and a hostile one abuses."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's
            raise YamlFault(f"an alias in line {event.start_mark.line + 1}", "Write the value out.")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise YamlFault(f"the key {key} is written twice (line {line})", "Remove one of them.")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """The value of a YAML file of at most 1 MiB. Raises `YamlFault`."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise YamlFault("the file is over 1 MiB", "Split it.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise YamlFault("the file is not UTF-8", "Save it as UTF-8.") from error
    try:
        return yaml.load(text, _StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "it cannot be read"
        raise YamlFault(f"not valid YAML{line}: {reason}", "Check indentation, colons and quotes.") from error
    except RecursionError as error:
        raise YamlFault("nested too deep", "Flatten it.") from error
