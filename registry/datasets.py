"""Datasets: what a table means. A pack's author names its things, columns, states and measures once, in English and
Korean, and the planner reads questions about it that nobody wrote down.

All words (`nouns`, values' other words, …) are given in their plain form, singular and lower case, in any language
side by side; plurals, endings and Korean particles are taken care of.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from registry.assets import Asset
from schemas.questions import Mode

FieldType = Literal["id", "text", "enum", "entity", "number", "time", "date", "bool", "tags"]
FilterOp = Literal[
    "eq", "ne", "lt", "gt", "lte", "gte", "like", "ilike", "in", "not_in", "between", "is_null", "not_null"
]
AggregateFn = Literal[
    "count", "count_distinct", "sum", "avg", "min", "max", "median", "p50", "p90", "p95", "p99"
]
TimeFormat = Literal["text", "timestamp", "unix"]

_MODES = (Mode.CONFIG, Mode.METRIC, Mode.HISTORY)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Elapsed(_Part):
    """The time between two time columns; `open_end: now` counts rows whose end is still open up to now."""

    start: str
    end: str
    unit: Literal["seconds", "minutes", "hours", "days"] = "minutes"
    open_end: Literal["nothing", "now"] = "nothing"


class DatasetField(_Part):
    """A column, or a figure computed from columns of the row (`elapsed` or `expression`)."""

    type: FieldType
    nouns: tuple[str, ...] = ()
    """What people call the field: [severity, sev, 심각도]. Its column's own name is known without being listed."""
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """For `enum` (and `entity` with a fixed list): each value with other words for it, {sev1: [critical, 치명적]}."""
    shape: str = Field(default="", max_length=100)
    """For `entity` and `text`: what a value looks like (a regular expression over the lower-case word), so that
    "C-1042" or "3.10.1" is read as one though nobody lists them."""
    values_known: bool = True
    """For `entity` without `values`: may its distinct values be read from the table, so that names are recognised?"""
    asks: tuple[Literal["who", "where", "when", "why", "how_long", "what"], ...] = ()
    """Question words that ask for this field: commander: [who], root_cause: [why]."""
    unit: str = ""
    """For `number`: minutes, hours, seconds, percent, bytes, GB, ms, … ; shown beside figures."""
    largest: tuple[str, ...] = ()
    """Superlatives that mean the most of it: [longest, slowest, 가장 오래]."""
    smallest: tuple[str, ...] = ()
    refers_to: str | None = None
    """The dataset whose key this column holds; that one's fields may then be asked for too, as `host_id.region`."""
    elapsed: Elapsed | None = None
    expression: str | None = None
    """Arithmetic or a condition over fields of the same row, in SQLite's words: "resolved_after > sla_minutes"."""
    time_format: TimeFormat | None = None
    """For `time`: how the store holds it; text is `YYYY-MM-DD HH:MM:SS`, UTC. By default text in SQLite, else
    timestamp."""
    hidden: bool = False
    """Not shown unless asked for by name."""

    @property
    def computed(self) -> bool:
        """Is it worked out of columns, and no column itself?"""
        return self.elapsed is not None or self.expression is not None


class DatasetFilter(_Part):
    field: str
    op: FilterOp
    value: Any = None


class Condition(_Part):
    """A state that has a name without being a value: "unresolved", "still firing", "without assignee"."""

    words: tuple[str, ...] = Field(min_length=1)
    filters: tuple[DatasetFilter, ...] = Field(min_length=1)


class Measure(_Part):
    """A named figure: "resolution time" is the average of `resolved_after`, "revenue" the sum of paid amounts."""

    nouns: tuple[str, ...] = Field(min_length=1)
    fn: AggregateFn
    field: str | None = None
    filters: tuple[DatasetFilter, ...] = ()
    group_by: tuple[str, ...] = ()
    """Fields without which the figure means nothing: a sum of money by currency, unless one currency is asked."""
    unit: str = ""


class DatasetAsset(Asset):
    """What one table or view means, and which `dynamic` tool may ask it."""

    title: str
    title_ko: str = ""
    tool: str
    table: str
    nouns: tuple[str, ...] = Field(min_length=1)
    """What one row is called: [incident, outage, 장애]. Verbs too: [deployment, release, deploy, 배포]."""
    modes: tuple[Mode, ...] = _MODES
    key: str | None = None
    """The field that names one row: "ticket 4711"."""
    label: tuple[str, ...] = ()
    """The fields a list shows, in this order; all that are not hidden when empty."""
    time: str | None = None
    """The field a period is about unless the question says otherwise: "tickets last week" were created then."""
    fields: dict[str, DatasetField] = Field(min_length=1)
    measures: dict[str, Measure] = Field(default_factory=dict)
    default_measure: str | None = None
    """What "how much" or a bare "X last week" of a table of figures means; counting rows when there is none."""
    conditions: dict[str, Condition] = Field(default_factory=dict)
    examples: tuple[str, ...] = ()
    """Questions to suggest to people."""
