"""`:name` in a statement of ours becomes what a driver takes. The guard wrote the statement, so its form is known."""

import re
from collections.abc import Callable, Mapping

_STANDARD = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![:\w]):([A-Za-z_]\w*)""")
_MYSQL = re.compile(r"""'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`|(?<![:\w]):([A-Za-z_]\w*)""", re.DOTALL)
_FORMS: Mapping[str, re.Pattern[str]] = {"mysql": _MYSQL}


def rewritten(statement: str, dialect: str, write: Callable[[str], str]) -> str:
    """The statement with `write(name)` for each placeholder outside texts and quoted names."""

    def each(found: re.Match[str]) -> str:
        name = found.group(1)
        return found.group(0) if name is None else write(name)

    return _FORMS.get(dialect, _STANDARD).sub(each, statement)


def numbered(statement: str, dialect: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1`, `$2`, … and the names in that order."""
    order: dict[str, int] = {}

    def write(name: str) -> str:
        return f"${order.setdefault(name, len(order) + 1)}"

    text = rewritten(statement, dialect, write)
    return text, tuple(order)
