"""The border of every command: an expected failure becomes a sentence and a hint, a bug keeps its traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cli.render.errors import fail
from registry.packs import PackError
from sinks.client import ClickHouseError
from sinks.embedded_clickhouse import EmbeddedClickHouseError
from sinks.migrate import MigrationError
from streams.embedded_broker import EmbeddedBrokerError
from streams.schema_ids import SchemaError
from streams.secrets import SecretError
from streams.topic_admin import RoadError
from streams.worker import WorkerCrashed


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn what a user can mend into one sentence and a hint; exit code 1, or 130 after Ctrl-C."""
    from cli.supervise import WorkerNotReady

    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except (
        PackError,
        ClickHouseError,
        EmbeddedClickHouseError,
        EmbeddedBrokerError,
        MigrationError,
        RoadError,
        WorkerNotReady,
    ) as exc:
        fail(getattr(exc, "reason", str(exc)), getattr(exc, "hint", ""), exit_code=1)
    except (SchemaError, SecretError) as exc:
        fail(str(exc), "", exit_code=1)
    except WorkerCrashed as exc:
        fail(f"The worker stopped: {exc}.", "Start it again; what was unfinished will be done again.", exit_code=1)
