"""References to earlier results inside a step's parameters: found, checked and resolved. Pure.

A reference is `{"$from": step_id, "path": JMESPath}`. The path is applied to a document of the result:
`{"rows": [{column: value}], "facts": {name: value}, "columns": [name], "row_count": n, "truncated": bool}`.
Whoever sends a plan writes the path, and the join evaluates it; therefore the language is a whitelist in which no
path can grow its result beyond a few times the document, and both path and value are bounded.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from schemas.calls import ToolOutput
from schemas.word import Json

FROM: Final = "$from"
PATH: Final = "path"
MAX_PATH_CHARACTERS: Final = 256
MAX_REFERENCES: Final = 32
"""In one step."""
MAX_PARTS: Final = 20
"""That a path may select beside one another."""
MAX_VALUE_BYTES: Final = 64 * 1024
"""What one reference may put into a call."""

_NODES: Final = frozenset(
    {
        "and_expression",
        "comparator",
        "current",
        "expref",
        "field",
        "filter_projection",
        "flatten",
        "function_expression",
        "identity",
        "index",
        "index_expression",
        "key_val_pair",
        "literal",
        "multi_select_dict",
        "multi_select_list",
        "not_expression",
        "or_expression",
        "pipe",
        "projection",
        "slice",
        "subexpression",
        "value_projection",
    }
)
_FUNCTIONS: Final = frozenset(
    {
        *(
            "abs",
            "avg",
            "ceil",
            "contains",
            "ends_with",
            "floor",
            "join",
            "keys",
            "length",
            "max",
            "max_by",
            "min",
        ),
        *("min_by", "not_null", "reverse", "sort", "sort_by", "starts_with", "sum", "to_number", "to_string"),
        *("type", "values"),
    }
)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that leads nowhere: which step, which path, and why."""

    step_id: str
    path: str
    why: str

    @property
    def message(self) -> str:
        return f"Step '{self.step_id}' gave nothing at {self.path}: {self.why}."


def is_reference(value: Json) -> bool:
    return isinstance(value, dict) and FROM in value


def references_in(params: Json) -> Iterator[Mapping[str, Json]]:
    """Every reference anywhere inside parameters, also the malformed."""
    if isinstance(params, dict):
        if FROM in params:
            yield params
            return
        for value in params.values():
            yield from references_in(value)
    elif isinstance(params, list | tuple):
        for value in params:
            yield from references_in(value)


def has_references(params: Json) -> bool:
    return next(references_in(params), None) is not None


def fault_of(reference: Mapping[str, Json]) -> str | None:
    """What is wrong with a reference as it is written, or None."""
    if set(reference) != {FROM, PATH}:
        return "has other parts than $from and path"
    step_id, path = reference[FROM], reference[PATH]
    if not isinstance(step_id, str) or not isinstance(path, str):
        return "names its step and its path by something that is no text"
    if not 0 < len(path) <= MAX_PATH_CHARACTERS:
        return f"has a path that is empty or longer than {MAX_PATH_CHARACTERS} characters"
    found = _compiled(path)
    return found if isinstance(found, str) else None


def resolved(params: Json, output_of: Callable[[str], ToolOutput | None]) -> Json | Unresolved:
    """The parameters with every reference replaced by what it leads to, or the first that leads nowhere.

    `output_of` gives a step's output, None where there is none. A value that is null counts as nothing.
    """
    if isinstance(params, dict):
        if FROM in params:
            return _value(params, output_of)
        filled: dict[str, Json] = {}
        for name, value in params.items():
            filled[name] = inner = resolved(value, output_of)
            if isinstance(inner, Unresolved):
                return inner
        return filled
    if isinstance(params, list | tuple):
        listed: list[Json] = []
        for value in params:
            inner = resolved(value, output_of)
            if isinstance(inner, Unresolved):
                return inner
            listed.append(inner)
        return listed
    return params


def document_of(output: ToolOutput) -> dict[str, Json]:
    """What a path is applied to. Of a result that was too large to travel, its first rows."""
    names = [column.name for column in output.columns]
    return {
        "rows": [dict(zip(names, row, strict=False)) for row in output.rows],
        "facts": dict(output.facts),
        "columns": names,
        "row_count": len(output.rows) if output.claim is None else output.claim.row_count,
        "truncated": output.truncated,
    }


def _value(reference: Mapping[str, Json], output_of: Callable[[str], ToolOutput | None]) -> Json | Unresolved:
    step_id, path = str(reference[FROM])[:64], str(reference.get(PATH))[:MAX_PATH_CHARACTERS]
    fault = fault_of(reference)
    if fault is not None:
        return Unresolved(step_id, path, f"the reference {fault}")
    output = output_of(step_id)
    if output is None:
        return Unresolved(step_id, path, "it has no result")
    expression = _compiled(path)
    try:
        value = expression.search(document_of(output))
    except (JMESPathError, TypeError, ValueError, ArithmeticError):
        return Unresolved(step_id, path, "the path does not fit what is there")
    if value is None:
        return Unresolved(step_id, path, "there is nothing, or null")
    if len(_encode(value)) > MAX_VALUE_BYTES:
        return Unresolved(step_id, path, f"the value is larger than {MAX_VALUE_BYTES // 1024} KiB")
    return value


@lru_cache(maxsize=2_048)
def _compiled(path: str) -> Any:
    """The compiled path, or what is wrong with it as text."""
    try:
        compiled = jmespath.compile(path)
    except (JMESPathError, ValueError, RecursionError):
        return "has a path that is not JMESPath"
    growing = 0
    waiting: list[Any] = [compiled.parsed]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict):
            continue  # the bounds of a slice
        kind = node["type"]
        if kind not in _NODES:
            return "has a path with a part that is not allowed here"
        if kind == "function_expression" and node["value"] not in _FUNCTIONS:
            return f"has a path with the function {node['value']}, which is not allowed here"
        if kind in ("multi_select_list", "multi_select_dict"):
            growing += 1
            if len(node["children"]) > MAX_PARTS:
                return f"has a path that selects more than {MAX_PARTS} parts"
        waiting += node["children"]
    if growing > 1:
        # `[@,@][]|[@,@][]|…` doubles with each part: a line of text that no memory holds.
        return "has a path with more than one selection of several parts"
    return compiled
