"""From a call's parameters to one bounded PromQL question."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.outbound_assets import PromCall
from schemas.errors import ErrorCode, OpsError, ops_error

_PIECE = re.compile(r"(?P<before>=~\s*|!~\s*)?(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')")
_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BARE = re.compile(r"[0-9]+(?:\.[0-9]+)?|(?:[0-9]+(?:ms|[smhdwy]))+")
_LONGEST_VALUE = 200
_FINEST_STEP_S = 1.0
_USUAL_STEP_S = 15.0
_USUAL_POINTS = 250


@dataclass(frozen=True, slots=True)
class Ask:
    """A query, and its range; `start` None asks for one moment. All times are Unix seconds, UTC."""

    query: str
    end: float
    start: float | None = None
    step_s: float = 0.0


def ask_of(params: Mapping[str, Any], call: PromCall, now: float) -> Ask | OpsError:
    """What to ask, or INVALID_PARAMS with what does not fit."""
    query = _query_of(params, call)
    if isinstance(query, OpsError):
        return query
    start, end = params.get("from_"), params.get("to")
    if start is None:
        at = params.get("at")
        return Ask(query, float(at if at is not None else end if end is not None else now))
    end = float(end if end is not None else now)
    length_s = end - float(start)
    if length_s <= 0 or length_s > call.max_range_s:
        return _unfit(f"The range must be over 0 and at most {call.max_range_s:g} seconds.")
    step_s = params.get("step_s")
    if step_s is None:
        step_s = max(_USUAL_STEP_S, length_s / _USUAL_POINTS)
    if step_s < _FINEST_STEP_S or length_s / step_s + 1 > call.max_points:
        return _unfit(
            f"The step must be at least {_FINEST_STEP_S:g} s and give at most {call.max_points} points."
        )
    return Ask(query, end, float(start), round(float(step_s), 3))


def _query_of(params: Mapping[str, Any], call: PromCall) -> str | OpsError:
    name, own = params.get("query"), params.get("promql")
    if (name is None) == (own is None):
        return _unfit("Give either query, the name of a known query, or promql.")
    if own is not None:
        return str(own) if not call.queries else _unfit("Only the tool's own queries may be asked.")
    template = call.queries.get(str(name))
    if template is None:
        return _unfit("There is no such query.")
    extra = {key: value for key, value in params.items() if key not in _FIELDS}
    return filled_query(template, {**extra, **(params.get("values") or {})})


_FIELDS = frozenset({"query", "promql", "values", "from_", "to", "at", "step_s"})


def filled_query(template: str, values: Mapping[str, Any]) -> str | OpsError:
    """A query with its holes filled: inside quotes with an escaped text (as a literal where a pattern is expected),
    elsewhere only with a number or a duration."""
    parts: list[str] = []
    missing: list[str] = []
    at = 0

    def given(name: str) -> str:
        value = values.get(name)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            missing.append(name)
            return ""
        return str(value)[:_LONGEST_VALUE]

    def bare(hole: re.Match[str]) -> str:
        value = given(hole[1])
        if not _BARE.fullmatch(value):
            missing.append(hole[1])
        return value

    for piece in _PIECE.finditer(template):
        parts.append(_HOLE.sub(bare, template[at : piece.start()]))
        pattern = piece["before"] is not None
        quote = piece["text"][0]
        parts.append(piece["before"] or "")
        parts.append(_HOLE.sub(lambda hole: _escaped(given(hole[1]), quote, pattern), piece["text"]))  # noqa: B023
        at = piece.end()
    parts.append(_HOLE.sub(bare, template[at:]))
    if missing:
        return _unfit(f"Missing or unfit: {', '.join(dict.fromkeys(missing))}.")
    return "".join(parts)


def _escaped(value: str, quote: str, pattern: bool) -> str:
    if pattern:
        value = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)
    return value.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")


def _unfit(message: str) -> OpsError:
    return ops_error(ErrorCode.INVALID_PARAMS, message)
