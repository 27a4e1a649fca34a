"""A real MariaDB for tests: the Debian package's server, with a data folder of its own in a temporary place."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest

from streams.bound_process import BoundProcess

_STARTING_S = 30.0
_STOPPING_S = 10.0


class MariaDbMissing(Exception):
    """MariaDB cannot run here; the message is one line that says what is missing."""


@dataclass(frozen=True)
class MariaDbServer:
    """A running server on 127.0.0.1; `boss` may do everything in it and needs no password."""

    port: int

    def run(self, *statements: str) -> None:
        """Run statements as `boss`."""
        connection: Any = pymysql.connect(host="127.0.0.1", port=self.port, user="boss", autocommit=True)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()


@contextmanager
def running_mariadb() -> Iterator[MariaDbServer]:
    """Make a data folder, start a server, and leave nothing of it behind. Raises `MariaDbMissing`."""
    server_program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    installer = shutil.which("mariadb-install-db")
    if server_program is None or installer is None:
        raise MariaDbMissing("MariaDB is not installed (Debian: apt install mariadb-server)")
    folder = Path(tempfile.mkdtemp(prefix="opsloom-mariadb-", dir="/tmp"))
    account = _account()
    os.chown(folder, account.pw_uid, account.pw_gid)
    server: BoundProcess | None = None
    try:
        where = folder / "data"
        subprocess.run(
            [installer, "--no-defaults", f"--datadir={where}", f"--user={account.pw_name}",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip
        setup = folder / "setup.sql"
        setup.write_text("CREATE USER boss@'%';\nGRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION;\n")
        os.chown(setup, account.pw_uid, account.pw_gid)
        port = _free_port()
        with (folder / "log").open("wb") as log:
            server = BoundProcess(
                [server_program, "--no-defaults", f"--datadir={where}", f"--user={account.pw_name}",
                 "--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket",
                 f"--pid-file={folder}/pid", f"--init-file={setup}", "--innodb-buffer-pool-size=32M",
                 "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", "--skip-log-bin"],
                output_fd=log.fileno(), cwd=str(folder),
            )  # fmt: skip
        running = MariaDbServer(port)
        _await_ready(running, folder / "log")
        yield running
    finally:
        if server is not None:
            server.stop(_STOPPING_S)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mariadb_or_skip() -> Iterator[MariaDbServer]:
    """For fixtures: a server, or one line that says why not (a failure when CI is set)."""
    try:
        with running_mariadb() as server:
            yield server
    except MariaDbMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


def _account() -> pwd.struct_passwd:
    """MariaDB does not run as root: the account to run it under."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("mysql", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise MariaDbMissing("MariaDB does not run as root, and there is no account to run it under")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(server: MariaDbServer, log: Path) -> None:
    ends_at = time.monotonic() + _STARTING_S
    while True:
        try:
            return server.run("SELECT 1")
        except pymysql.MySQLError:
            if time.monotonic() > ends_at:
                raise MariaDbMissing(
                    f"MariaDB did not start: {log.read_text(errors='replace')[-300:]}"
                ) from None
            time.sleep(0.1)
