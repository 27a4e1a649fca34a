"""The Faust app factory: one app per role, made from settings that are handed in."""

import logging
from typing import Any

import faust

import streams.lane.transport  # noqa: F401  # `lane://` must be loadable where entry points are not installed
from streams.lane.table import LaneTableManager
from streams.settings import Role, Settings
from streams.topics import Topics

MAX_BATCH_BYTES = 1024 * 1024
"""Largest batch sent; a record larger than this cannot travel."""

POLL_RECORDS = 1_000

STANDBY_REPLICAS = 0
"""Faust would read the changelogs of other workers' partitions along. It drops those rows again when recovery is
completed, and a table that believes to have read them does not read them when it is given the partition: open traces
would be lost, and never answered."""


def make_app(settings: Settings, role: Role) -> Any:
    """An app for one role. Each role has a consumer group of its own, so that workers of one role share its
    partitions whatever else they run, and a rebalance of one role leaves the others alone."""
    brokers = ";".join(f"lane://{address.strip()}" for address in settings.broker.split(","))
    datadir = settings.data_dir / "faust" / settings.worker_id / role
    datadir.mkdir(parents=True, exist_ok=True)
    logging.getLogger("faust").setLevel(settings.log_level.upper())
    return faust.App(
        Topics.of(settings).group(role),
        broker=brokers,
        store="memory://",
        TableManager=LaneTableManager,
        datadir=str(datadir),
        autodiscover=False,
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        topic_disable_leader=True,
        table_standby_replicas=STANDBY_REPLICAS,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{settings.worker_id}-{role}",
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.heartbeat_s,
        broker_rebalance_timeout=max(6.0, settings.session_timeout_s),
        broker_commit_interval=settings.commit_interval_s,
        broker_max_poll_records=POLL_RECORDS,
        broker_request_timeout=30.0,
        producer_linger=0,
        producer_max_batch_size=MAX_BATCH_BYTES,
        producer_max_request_size=4 * MAX_BATCH_BYTES,
        stream_recovery_delay=0,
        stream_wait_empty=False,
    )
