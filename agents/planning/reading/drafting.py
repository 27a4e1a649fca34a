"""Readings as steps of a plan."""

from agents.planning.context import DraftStep
from agents.planning.reading.query import Reading
from schemas.plans import AppliedAsset, Render, Show

_SHOWN = 20
"""Rows of a list that are drawn; the rest is counted."""


def steps_of(readings: tuple[Reading, ...]) -> tuple[DraftStep, ...]:
    """One step for each reading, after the step it refers to, if it does."""
    steps: list[DraftStep] = []
    for reading in readings:
        parents: tuple[str, ...] = ()
        if reading.before is not None:
            earlier = f"s{len(steps) + 1}"
            steps.append(_step(earlier, reading.before[0], ()))
            parents = (earlier,)
        steps.append(_step(f"s{len(steps) + 1}", reading, parents))
    return tuple(steps)


def _step(step_id: str, reading: Reading, parents: tuple[str, ...]) -> DraftStep:
    query = reading.query
    params = query.params()
    if parents and reading.before is not None:
        _, op, field = reading.before
        reference = {"$from": parents[0], "path": f'rows[0]."{field}"'}
        condition = {"field": query.dataset.time, "op": op, "value": reference}
        params["filters"] = [*params.get("filters", ()), condition]
    series = len(query.group_by) == 1 and isinstance(query.group_by[0], dict)
    return DraftStep(
        step_id=step_id,
        tool_id=query.dataset.tool,
        params=params,
        depends_on=parents,
        render=Render(
            title=reading.title, text=reading.text, show=Show.TABLE, max_rows=40 if series else _SHOWN
        ),
    )


def applied_to(readings: tuple[Reading, ...]) -> tuple[AppliedAsset, ...]:
    """The datasets that shaped the readings, each once."""
    held = [each.query.dataset for reading in readings for each in _with_earlier(reading)]
    found = {each.id: AppliedAsset(asset_id=each.id, kind="dataset", version=each.version) for each in held}
    return tuple(found.values())


def reasons_of(reading: Reading) -> tuple[str, ...]:
    """How the question was read."""
    words = ", ".join(f"'{word[:40]}'" for word in reading.matched[:10])
    reasons = [
        f"read {words} with the dataset {reading.query.dataset.id}; score {reading.score:.1f}",
        *reading.notes,
    ]
    if reading.ignored:
        reasons.append(f"passed over '{' '.join(reading.ignored)[:60]}'")
    if reading.before is not None:
        reasons.append(
            f"its time is counted from the row that {reading.before[0].query.dataset.id} gives first"
        )
    return tuple(reasons)


def _with_earlier(reading: Reading) -> tuple[Reading, ...]:
    return (reading,) if reading.before is None else (reading.before[0], reading)
