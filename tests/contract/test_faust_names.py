"""Every private name of Faust, aiokafka and asyncio that the road uses: listed here, and there in this version.

The batch lane goes where these libraries promise nothing. When one of them is upgraded and a name is gone, this test
fails instead of a worker in production: read how the new version does the same, change `streams/lane`, and bring the
lists below up to date. `docs/architecture.md` says what the lane needs from Faust.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import aiokafka.consumer.consumer
import aiokafka.consumer.fetcher
import aiokafka.consumer.group_coordinator
import aiokafka.producer.producer
import aiokafka.producer.sender
import faust
import faust.app.base
import faust.stores.memory
import faust.tables.base
import faust.tables.manager
import mode.services
import mode.threads
import pytest
from faust.channels import Channel
from faust.transport.consumer import Consumer as AnyConsumer
from faust.transport.drivers import aiokafka as driver

from streams.lane import consumer, producer, table, transport

ROOT = Path(__file__).resolve().parents[2]
HINT = "see the top of tests/contract/test_faust_names.py"
SCANNED = (
    "streams/lane/*.py",
    "streams/app.py",
    "streams/pacing.py",
    "streams/worker.py",
    "streams/telemetry.py",
    "agents/*/*er.py",
)

OF_NAMED_TUPLES = {"_replace", "_asdict", "_fields"}
"""Public, in spite of their underscore."""

USED: dict[str, tuple[str, Any]] = {
    "_consumer": ("the app's consumer, without making one", faust.app.base.App),
    "_crashed": ("an event that tells that the app crashed", mode.services.Service),
    "_default_start": ("a service's start without a thread", mode.services.Service),
    "_started": ("an event of a service", mode.services.Service),
    "_stopped": ("an event of a service", mode.services.Service),
    "_thread_started": ("an event of a service thread", mode.threads.ServiceThread),
    "_shutdown_thread": ("ends a service thread from inside", mode.threads.ServiceThread),
    "_ensure_consumer": ("the aiokafka consumer behind Faust's", driver.AIOKafkaConsumerThread),
    "_ensure_producer": ("the aiokafka producer behind Faust's", driver.Producer),
    "_get_active_partitions": ("partitions that are read now", AnyConsumer),
    "_sender": ("what sends aiokafka's batches", aiokafka.producer.producer.AIOKafkaProducer),
    "_send_produce_req": ("the last step before a request leaves", aiokafka.producer.sender.Sender),
    "_thread": ("the service that owns the aiokafka consumer", driver.ThreadDelegateConsumer),
    "_subscribers": ("the queues behind a channel: one item is one batch", Channel),
    "_key_partition": ("which partition a row of the memory store belongs to", faust.stores.memory.Store),
    "_to_key": ("a changelog's key as the table has it", faust.tables.base.Collection),
    "_update_channels": ("makes the changelogs' channels", faust.tables.manager.TableManager),
    "_coordinator": (
        "fetches committed offsets with their metadata",
        aiokafka.consumer.consumer.AIOKafkaConsumer,
    ),
    "_do_heartbeat": (
        "one heartbeat to the group's coordinator",
        aiokafka.consumer.group_coordinator.GroupCoordinator,
    ),
    "_fetcher": ("what fetches", aiokafka.consumer.consumer.AIOKafkaConsumer),
    "_fetch_max_wait_ms": ("how long the broker may hold a fetch", aiokafka.consumer.fetcher.Fetcher),
    "_proc_fetch_request": ("one fetch", aiokafka.consumer.fetcher.Fetcher),
    "_asyncio_future_blocking": ("a task checks that a future was awaited", asyncio.Future),
    "_enter_task": ("which task runs now", asyncio.tasks),
    "_leave_task": ("which task runs now", asyncio.tasks),
}
"""Private names that the road uses of others: what for, and where they are defined or set."""

OVERRIDDEN: dict[type, tuple[str, ...]] = {
    consumer.LaneThread: ("call_thread", "cast_thread", "crash", "on_start", "start", "stop", "_commit"),
    consumer.LaneConsumer: (
        "earliest_offsets",
        "on_partitions_assigned",
        "on_partitions_revoked",
        "perform_seek",
        "subscribe",
        "_commit",
        "_filter_committable_offsets",
        "_getmany",
        "_new_consumer_thread",
    ),
    producer.LaneProducer: ("on_start", "_settings_extra", "__post_init__"),
    table.LaneTable: ("on_key_del", "on_key_set", "on_rebalance", "persisted_offset"),
    table.DeadlineTable: ("on_key_del", "on_key_set", "on_recovery_completed"),
    table.LaneTableManager: ("on_start",),
    transport.Transport: (),
}
"""Methods of Faust's own that the lane replaces or extends."""


def _is_there(name: str, owner: Any) -> bool:
    """Defined on the owner, or set on its instances somewhere in its classes."""
    if hasattr(owner, name):
        return True
    classes = owner.__mro__ if inspect.isclass(owner) else ()
    return any(f"self.{name}" in _source(each) for each in classes)


def _source(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        return ""


@pytest.mark.parametrize("name", USED)
def test_private_name_is_still_there(name: str) -> None:
    """Gone or renamed: the lane would break at run time."""
    purpose, owner = USED[name]

    assert _is_there(name, owner), f"{owner.__name__}.{name} ({purpose}) is gone; {HINT}"


@pytest.mark.parametrize("cls", OVERRIDDEN, ids=lambda cls: cls.__name__)
def test_overridden_method_still_exists_and_takes_the_same_arguments(cls: type) -> None:
    """An override that overrides nothing is never called."""
    for name in OVERRIDDEN[cls]:
        foreign = [base for base in cls.__mro__ if not base.__module__.startswith("streams.")]
        base = next((getattr(each, name) for each in foreign if name in vars(each)), None)
        assert base is not None, f"{cls.__name__}.{name} overrides nothing any more; {HINT}"
        mine, theirs = _arguments(vars(cls)[name]), _arguments(base)
        if inspect.Parameter.VAR_KEYWORD not in mine:
            assert mine == theirs, f"{cls.__name__}.{name} takes {mine}, Faust gives {theirs}; {HINT}"


def _arguments(function: Callable[..., Any]) -> list[Any]:
    return [argument.kind for argument in inspect.signature(inspect.unwrap(function)).parameters.values()]


def test_list_of_private_names_is_complete() -> None:
    """A new private name goes into `USED`, with what it is used for."""
    own, used = _names()

    unlisted = used - own - USED.keys()
    assert not unlisted, f"not in USED: {sorted(unlisted)}; {HINT}"


def test_list_of_private_names_holds_nothing_unused() -> None:
    """What is no longer used need not be watched."""
    _, used = _names()

    assert not USED.keys() - used, sorted(USED.keys() - used)


def test_list_of_overrides_is_complete() -> None:
    """A method of a lane class that exists in Faust's class too is an override, meant or not."""
    for cls, listed in OVERRIDDEN.items():
        foreign = [
            base for base in cls.__mro__ if not base.__module__.startswith("streams.") and base is not object
        ]
        found = {
            name
            for name, value in vars(cls).items()
            if inspect.isfunction(value)
            and name != "__init__"
            and any(name in vars(base) for base in foreign)
        }
        assert found == set(listed), f"{cls.__name__} overrides {sorted(found)}; {HINT}"


def test_faust_is_the_version_that_was_looked_at() -> None:
    """`pyproject.toml` pins it exactly; aiokafka to a minor version."""
    assert metadata.version("faust-streaming") == "0.15.3", HINT
    assert metadata.version("aiokafka").startswith("0.14."), HINT


def _names() -> tuple[set[str], set[str]]:
    """Private names that the house itself defines, and those that the scanned files use."""
    own: set[str] = set()
    used: set[str] = set()
    for path in sorted(path for pattern in SCANNED for path in ROOT.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                own.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                own.add(node.target.id)
            elif (
                isinstance(node, ast.Attribute)
                and node.attr.startswith("_")
                and not node.attr.startswith("__")
                and node.attr not in OF_NAMED_TUPLES
            ):
                used.add(node.attr)
                if isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
                    own.add(node.attr)
    return own, used
