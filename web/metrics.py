"""What Prometheus may read of a web process. No label has more values than there are routes, methods and statuses."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """One registry per process, none of it global."""

    def __init__(self, open_asks: Callable[[], int], waiters: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "opsloom_http_requests", "Requests by route, method and status.",
            ("route", "method", "status"), registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "opsloom_http_request_seconds", "Seconds until the end of the response.",
            ("route",), buckets=BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self.answers = Counter(
            "opsloom_http_answers", "Answers given over HTTP by their status.",
            ("status",), registry=self.registry,
        )  # fmt: skip
        self.exceptions = Counter(
            "app_exceptions", "Requests that ended in a bug.",
            ("exception_type", "module"), registry=self.registry,
        )  # fmt: skip
        self.handling = Histogram(
            "app_exception_handling_seconds", "Seconds to answer a request that ended in a bug.",
            ("exception_type",), registry=self.registry,
        )  # fmt: skip
        for name, text, value in (
            ("opsloom_http_open_asks", "Questions that are waited for now.", open_asks),
            ("opsloom_http_waiters", "Traces that this process listens for now.", waiters),
        ):
            gauge = Gauge(name, text, registry=self.registry)
            gauge.set_function(value)
        ProcessCollector(registry=self.registry)
