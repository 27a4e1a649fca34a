"""Cases: one question a line, with what is expected of its answer."""

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.questions import MAX_QUESTION_CHARACTERS, Mode


class BadLine(ValueError):
    """A line that cannot be read: its number (from 1) and what is wrong with it."""

    def __init__(self, number: int, fault: str) -> None:
        super().__init__(f"Line {number}: {fault}")
        self.number = number
        self.reason = f"Line {number} cannot be read: {fault}"
        self.hint = (
            'A line is {"id", "tenant", "lang", "mode", "question", "expect": {…}}; see docs/evaluation.md.'
        )


class ExpectedValue(BaseModel):
    """A figure, text or moment that the answer has to hold, given itself or as the SQL that finds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Any = None
    sql: str | None = Field(default=None, min_length=1)
    tolerance: float = Field(default=0.0, ge=0)
    """How far a number may be off, in its own unit."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "ExpectedValue":
        if (self.sql is None) == ("value" not in self.model_fields_set):
            raise ValueError("give either value or sql")
        return self


class Expectation(BaseModel):
    """What is expected; what is left open is not looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tools: tuple[str, ...] = ()
    """Ids of tools, each of which has to be called."""
    params: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Tool → parameters that one of its calls has to carry."""
    values: tuple[ExpectedValue, ...] = ()
    reject: bool = False


class Case(BaseModel):
    """One question. Fields beside these are a writer's own notes and are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    tenant: str = Field(min_length=1, max_length=64)
    lang: Literal["en", "ko"] = "en"
    mode: Mode = Mode.ALL
    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)
    expect: Expectation = Expectation()


def read_cases(lines: Iterable[str]) -> tuple[Case, ...]:
    """The cases of a file's lines; blank ones are passed over. Raises `BadLine`."""
    found: list[Case] = []
    taken: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        case = _read(number, line)
        if case.id in taken:
            raise BadLine(number, f"the id {case.id} is that of line {taken[case.id]} already.")
        taken[case.id] = number
        found.append(case)
    return tuple(found)


def _read(number: int, line: str) -> Case:
    try:
        said = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadLine(number, f"it is not JSON ({error.msg} at character {error.pos + 1}).") from None
    if not isinstance(said, dict):
        raise BadLine(number, "it is not a JSON object.")
    try:
        return Case.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the line"
        raise BadLine(number, f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}.") from None
