"""A real PostgreSQL for tests: the Debian package's programs, a cluster of its own in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.bound_process import BoundProcess

_STARTING_S = 30.0
_STOPPING_S = 10.0
_SUPERUSER = "boss"


class PostgresMissing(Exception):
    """PostgreSQL cannot run here; the message is one line that says what is missing."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server on 127.0.0.1; `boss` may do everything in it and needs no password."""

    port: int

    def url(self, user: str = _SUPERUSER, database: str = "postgres") -> str:
        """`postgresql://USER@127.0.0.1:PORT/DATABASE`."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Make a cluster, start it, and leave nothing of it behind. Raises `PostgresMissing`."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="opsloom-postgres-", dir="/tmp"))
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    prefix = (
        []
        if user is None
        else ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    )
    server: BoundProcess | None = None
    try:
        where = folder / "data"
        subprocess.run(
            [*prefix, programs / "initdb", "-D", where, "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        port = _free_port()
        command = [*prefix, str(programs / "postgres"), "-D", str(where), "-p", str(port)]
        for setting in (
            "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off",
            "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "max_connections=60",
        ):  # fmt: skip
            command += ["-c", setting]
        with (folder / "log").open("wb") as log:
            server = BoundProcess(command, output_fd=log.fileno(), cwd=str(folder))
        _await_ready(programs, port, folder / "log")
        yield PostgresServer(port)
    finally:
        if server is not None:
            os.kill(server.pid, signal.SIGINT)  # its fast shutdown; SIGTERM would wait for clients
            server.stop(_STOPPING_S)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_or_skip() -> Iterator[PostgresServer]:
    """For fixtures: a server, or one line that says why not (a failure when CI is set)."""
    try:
        with running_postgres() as server:
            yield server
    except PostgresMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None or shutil.which("postgres") is None:
        raise PostgresMissing("PostgreSQL is not installed (Debian: apt install postgresql)")
    return Path(on_path).resolve().parent


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL does not run as root: the account to run it under, None if this one will do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing("PostgreSQL does not run as root, and there is no account to run it under")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(programs: Path, port: int, log: Path) -> None:
    ends_at = time.monotonic() + _STARTING_S
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-U", _SUPERUSER]
    while subprocess.run(ready, check=False).returncode != 0:
        if time.monotonic() > ends_at:
            raise PostgresMissing(f"PostgreSQL did not start: {log.read_text(errors='replace')[-300:]}")
        time.sleep(0.05)
