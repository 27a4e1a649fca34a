"""Metrics of the services: a value for each minute, with the stories in it, and the daily values made of them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from packs.plant.world.spec import DAY_S, METRIC_DAYS, MINUTES_A_DAY, PlantSpec
from packs.plant.world.stories import Story
from packs.plant.world.table import Table
from packs.plant.world.vocabulary import METRICS, TENANTS, Tenant, services_of

Numbers = NDArray[np.float64]

_DECIMALS = {"latency_p95_ms": 1, "error_rate": 3}
_BASES = {
    "latency_p95_ms": (90.0, 380.0),
    "error_rate": (0.15, 0.6),
    "requests_per_min": (120.0, 2_400.0),
    "cpu_percent": (22.0, 46.0),
    "memory_percent": (35.0, 46.0),
    "queue_depth": (4.0, 22.0),
}
_DAILY_SWING = {
    "latency_p95_ms": 0.12,
    "error_rate": 0.05,
    "requests_per_min": 0.45,
    "cpu_percent": 0.25,
    "memory_percent": 0.04,
    "queue_depth": 0.2,
}
_NOISE = {
    "latency_p95_ms": 0.06,
    "error_rate": 0.12,
    "requests_per_min": 0.05,
    "cpu_percent": 0.06,
    "memory_percent": 0.015,
    "queue_depth": 0.15,
}
_PERCENT = frozenset({"error_rate", "cpu_percent", "memory_percent"})
_WEEKEND = 0.72


class Series:
    """All metrics of a plant. A series is computed when it is asked for, always to the same values."""

    def __init__(self, spec: PlantSpec, stories: Sequence[Story]) -> None:
        self._spec = spec
        self._stories = stories

    @property
    def first_day(self) -> int:
        """The first day with metrics, in Unix seconds."""
        return self._spec.end - METRIC_DAYS * DAY_S

    def minutes(self, tenant: Tenant, service: str, metric: str) -> Numbers:
        """Values of shape (days, 1440), from `first_day` to the end of the day `as_of`.

        The day `as_of` is there too, so that "the last 15 minutes" hold something whenever it is asked that day.
        """
        random = self._spec.random("metric", tenant, service, metric)
        low, high = _BASES[metric]
        base = float(random.uniform(low, high))
        phase = float(random.uniform(-60, 60))
        shape = (METRIC_DAYS + 1, MINUTES_A_DAY)
        noise = random.standard_normal(shape, dtype=np.float32).astype(np.float64)
        noise *= _NOISE[metric]
        noise += 1.0
        noise *= base * self._daily_course(metric, phase)
        noise *= self._weekly_course(metric)[:, None]
        self._trouble(noise, tenant, service, metric)
        np.clip(noise, 0.0, 100.0 if metric in _PERCENT else None, out=noise)
        return np.round(noise, _DECIMALS.get(metric, 1), out=noise)

    def _daily_course(self, metric: str, phase: float) -> Numbers:
        minutes = np.arange(MINUTES_A_DAY, dtype=np.float64)
        # Busiest at about 14:00, quietest twelve hours apart from that.
        wave = np.cos((minutes - 840.0 - phase) * (2 * np.pi / MINUTES_A_DAY))
        return 1.0 + _DAILY_SWING[metric] * wave

    def _weekly_course(self, metric: str) -> Numbers:
        if metric != "requests_per_min":
            return np.ones(METRIC_DAYS + 1)
        days = self.first_day // DAY_S + np.arange(METRIC_DAYS + 1)
        weekday = (days + 3) % 7  # the first of January 1970 was a Thursday; Monday is 0
        return np.where(weekday >= 5, _WEEKEND, 1.0)

    def _trouble(self, values: Numbers, tenant: Tenant, service: str, metric: str) -> None:
        flat = values.reshape(-1)
        for story in self._stories:
            factor = story.factors(service).get(metric) if story.script.tenant == tenant else None
            if factor is not None:
                since = (story.begins_at - self.first_day) // 60
                flat[since : since + story.script.lasts_min] *= factor

    @cached_property
    def tables(self) -> tuple[Table, Table]:
        """`metrics_daily` of all full days, and `metrics_minute` of the days of which minutes are kept."""
        daily: list[Numbers] = []
        minute: list[Numbers] = []
        names: list[tuple[Tenant, str, str, NDArray[np.int64]]] = []
        for tenant, metric, service in series_names():
            values = self.minutes(tenant, service, metric)
            daily.append(np.round(values[:-1].mean(axis=1), 3))
            kept = self._kept(tenant, service)
            minute.append(values[kept].reshape(-1))
            names.append((tenant, metric, service, kept))
        return self._daily(names, daily), self._minute(names, minute)

    def _kept(self, tenant: Tenant, service: str) -> NDArray[np.int64]:
        """Days of which the minutes of a service are kept: the last ones, and those of its own stories."""
        last = METRIC_DAYS - self._spec.minute_days
        own = {
            (story.begins_at - self.first_day) // DAY_S
            for story in self._stories
            if story.script.tenant == tenant and story.script.service == service
        }
        return np.array(sorted({*own, *range(last, METRIC_DAYS + 1)}), dtype=np.int64)

    def _daily(
        self, names: Iterable[tuple[Tenant, str, str, NDArray[np.int64]]], daily: list[Numbers]
    ) -> Table:
        listed = list(names)
        days = np.tile(self.first_day + np.arange(METRIC_DAYS) * DAY_S, len(listed))
        return Table(
            "metrics_daily",
            {
                "tenant_id": _repeated([name[0] for name in listed], METRIC_DAYS),
                "day": days,
                "service": _repeated([name[2] for name in listed], METRIC_DAYS),
                "metric": _repeated([name[1] for name in listed], METRIC_DAYS),
                "value": np.concatenate(daily),
                "samples": np.full(len(days), MINUTES_A_DAY),
            },
        )

    def _minute(
        self, names: Iterable[tuple[Tenant, str, str, NDArray[np.int64]]], minute: list[Numbers]
    ) -> Table:
        listed = list(names)
        counts = [len(values) for values in minute]
        of_a_day = np.arange(MINUTES_A_DAY) * 60
        at = [(self.first_day + kept[:, None] * DAY_S + of_a_day).reshape(-1) for *_, kept in listed]
        return Table(
            "metrics_minute",
            {
                "tenant_id": _repeated([name[0] for name in listed], counts),
                "metric": _repeated([name[1] for name in listed], counts),
                "series": _repeated([name[2] for name in listed], counts),
                "at": np.concatenate(at),
                "value": np.concatenate(minute),
            },
        )


def series_names() -> Iterator[tuple[Tenant, str, str]]:
    """Tenant, metric and service of every series, in the order of the tables' keys."""
    for tenant in TENANTS:
        for metric in sorted(METRICS):
            for service in sorted(services_of(tenant)):
                yield tenant, metric, service


def _repeated(names: Sequence[str], times: int | Sequence[int]) -> list[str]:
    counts = [times] * len(names) if isinstance(times, int) else times
    return [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
