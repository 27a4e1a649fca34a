"""What a call of a `dynamic` tool may say: a table, fields, filters, groups, figures. No SQL."""

from typing import Annotated, Literal

from pydantic import Field

from agents.execution.guards.operators import FIELD
from agents.execution.tool import Parameters

Name = Annotated[str, Field(pattern=f"^(?:{FIELD.pattern})$")]
Alias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Scalar = str | int | float | bool | None
Fn = Literal[
    "count", "count_distinct", "sum", "avg", "min", "max", "median", "p50", "p90", "p95", "p99", "share"
]


class DynamicFilter(Parameters):
    """One condition; which operators there are and what they take is the operator guard's to say."""

    field: str
    op: str
    value: Scalar | list[Scalar] = None


class Bucket(Parameters):
    """A time by the hour, day, week or month it falls in; `offset_minutes` east of UTC is where days begin."""

    field: Name
    bucket: Literal["hour", "day", "week", "month"]
    offset_minutes: Annotated[int, Field(ge=-840, le=840)] = 0


class Aggregate(Parameters):
    """A figure over the rows of a group; with `where` over those of them that meet it. `share` is the percentage of
    rows that do."""

    fn: Fn
    field: Name | None = None
    as_: Annotated[Alias, Field(alias="as")]
    where: Annotated[list[DynamicFilter], Field(max_length=20)] = Field(default_factory=list)


class Ordering(Parameters):
    """By a field, a group or a figure's name; what is empty comes last."""

    field: Name
    desc: bool = False


class Derived(Parameters):
    """A figure worked out of two others of the same row: `left - right`, its percentage of `right`, or `left` in
    percent of `right`."""

    as_: Annotated[Alias, Field(alias="as")]
    op: Literal["difference", "change_percent", "percent_of"]
    left: Alias
    right: Alias


class DynamicParameters(Parameters):
    table: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    fields: Annotated[list[Name], Field(max_length=40)] = Field(default_factory=list)
    """What a list shows; all the table's fields when empty."""
    filters: Annotated[list[DynamicFilter], Field(max_length=20)] = Field(default_factory=list)
    group_by: Annotated[list[Name | Bucket], Field(max_length=4)] = Field(default_factory=list)
    aggregates: Annotated[list[Aggregate], Field(max_length=12)] = Field(default_factory=list)
    having: Annotated[list[DynamicFilter], Field(max_length=4)] = Field(default_factory=list)
    """Filters over the figures of a group, by their `as`."""
    order_by: Annotated[list[Ordering], Field(max_length=4)] = Field(default_factory=list)
    limit: Annotated[int, Field(ge=1, le=10_000)] | None = None
    derived: Annotated[list[Derived], Field(max_length=4)] = Field(default_factory=list)
    total: bool = False
    """Also say how many rows (or groups) there are beyond the limit."""
