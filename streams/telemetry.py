"""A worker's own metric points, published at intervals."""

from typing import Any

from streams.road import Road


def attach_telemetry(app: Any, road: Road, every_s: float) -> None:
    """Publish the counters of a worker to `ops.telemetry`; the points of one worker share a partition."""

    async def report() -> None:
        points = road.counters.report(road.clock())
        if points:
            worker = points[0].tags["worker"]
            items = [road.item(worker, point) for point in points]
            await app.producer.put(road.topics.telemetry, road.partition(worker), items)

    app.timer(every_s)(report)
