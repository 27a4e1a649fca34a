"""What a reading comes to: a structured query over one dataset, ready to become the parameters of a dynamic tool."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.datasets import DatasetAsset


@dataclass(slots=True)
class Query:
    """A query being read. Lists hold plain mappings, as the tool takes them."""

    dataset: DatasetAsset
    filters: list[dict[str, Any]] = field(default_factory=list)
    group_by: list[Any] = field(default_factory=list)
    aggregates: list[dict[str, Any]] = field(default_factory=list)
    having: list[dict[str, Any]] = field(default_factory=list)
    order_by: list[dict[str, Any]] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    derived: list[dict[str, Any]] = field(default_factory=list)
    limit: int | None = None

    def add_filter(self, name: str, op: str, value: Any = None) -> None:
        """One more condition, unless it is there already."""
        condition: dict[str, Any] = {"field": name, "op": op}
        if op not in ("is_null", "not_null"):
            condition["value"] = value
        if condition not in self.filters:
            self.filters.append(condition)

    def params(self) -> dict[str, Any]:
        """The parameters of the call; what is empty is left out."""
        parts: Mapping[str, Any] = {
            "fields": self.fields,
            "filters": self.filters,
            "group_by": self.group_by,
            "aggregates": self.aggregates,
            "having": self.having,
            "order_by": self.order_by,
            "derived": self.derived,
        }
        params: dict[str, Any] = {"table": self.dataset.table}
        params.update({name: value for name, value in parts.items() if value})
        if self.limit is not None:
            params["limit"] = self.limit
        if not self.aggregates or self.group_by:
            params["total"] = True
        return params


@dataclass(frozen=True, slots=True)
class Reading:
    """A question understood as a query: how well, through which words, and what was passed over."""

    query: Query
    score: float
    """0 to 10."""
    matched: tuple[str, ...]
    ignored: tuple[str, ...]
    """Words that mean something and were not used."""
    strange: tuple[str, ...]
    """Those of them that nobody knows: names, mostly."""
    notes: tuple[str, ...]
    coarse: bool = False
    """The dataset is by the day, and the question about less, or about now."""
    period: tuple[float, float] | None = None
    near: tuple[str, ...] = ()
    """Known names like the strange ones."""
    title: str = ""
    text: str = ""
    before: "tuple[Reading, str, str] | None" = None
    """A reading that must be answered first, the step's name and the field whose value is referred to."""
