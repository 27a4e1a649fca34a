"""The one way to ClickHouse: over HTTP, with errors in words, rows as JSON and a token against doubles."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError as DriverError

Row = Mapping[str, Any]
"""A row by column; values as JSON, moments as Unix seconds."""

ClientRole = Literal["reader", "writer"]

_CODE = re.compile(r"Code: (\d+)\.|code: (\d+)[,.]")
_READER: Mapping[str, Any] = {"readonly": 2, "max_execution_time": 30}
_INSERT: Mapping[str, Any] = {
    "async_insert": 0,
    # Moments are Unix seconds; text with a zone, as a pack's sampler may write it, is understood too.
    "date_time_input_format": "best_effort",
    # A name that no column has is a bug to hear of, not a value to lose.
    "input_format_skip_unknown_fields": 0,
    "insert_null_as_default": 0,
    "input_format_null_as_default": 0,
}
# The engine understood the statement and will refuse it again.
_REFUSALS = frozenset({6, 16, 26, 27, 33, 41, 53, 62, 69, 70, 72, 117, 130, 131, 349, 497, 516})
_WORDS = {
    60: ("a table is missing", "Run: opsloom migrate"),
    81: ("the database is missing", "Run: opsloom migrate"),
    164: ("this user may only read", "Use a user who may write."),
    192: ("the user does not exist", "Check OPSLOOM_CLICKHOUSE_USER."),
    193: ("the password is wrong", "Check OPSLOOM_CLICKHOUSE_PASSWORD."),
    194: ("a password is needed", "Set OPSLOOM_CLICKHOUSE_PASSWORD."),
    497: ("this user may not do that", "Grant it, or use another user."),
    516: ("user or password is wrong", "Check OPSLOOM_CLICKHOUSE_USER and OPSLOOM_CLICKHOUSE_PASSWORD."),
}
_encoder = msgspec.json.Encoder()
# The driver logs a traceback for each attempt at a server that is not up yet; the errors raised say it all.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)


class ClickHouseError(RuntimeError):
    """ClickHouse could not do it: `reason` says why, `hint` what to do, `code` its own number."""

    def __init__(self, reason: str, hint: str, code: int | None = None, detail: str = "") -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint
        self.code = code
        self.detail = detail

    @property
    def is_refusal(self) -> bool:
        """True if the engine understood and said no: trying the same again cannot help."""
        return self.code in _REFUSALS


def connect(
    url: str,
    database: str = "opsloom",
    *,
    user: str = "default",
    password: str = "",
    role: ClientRole = "writer",
    wait_s: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Client:
    """A blocking client; one per thread that works at the same time. The database need not exist yet.

    Tries for `wait_s` seconds as long as nobody answers, as at start-up. A `reader` can change nothing.
    Raises ClickHouseError.
    """
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise ClickHouseError(f"{url!r} is not a ClickHouse URL", "Write it as http://HOST:8123.")
    give_up_at = monotonic() + wait_s
    pause_s = 0.05
    while True:
        try:
            client = clickhouse_connect.get_client(
                interface=place.scheme,
                host=place.hostname,
                port=place.port or (8443 if place.scheme == "https" else 8123),
                username=user,
                password=password,
                compress=False,
                query_limit=0,
                tz_mode="aware",
                autogenerate_session_id=False,
                connect_timeout=5,
                send_receive_timeout=60,
                settings=dict(_READER) if role == "reader" else {},
            )
        except DriverError as error:
            found = named(error, url)
            if found.code is not None or monotonic() >= give_up_at:
                raise found from error
            sleep(pause_s)
            pause_s = min(pause_s * 2, 1.0)
        else:
            client.database = database
            return client


def insert(client: Client, table: str, rows: Sequence[Row], *, token: str | None = None) -> None:
    """Insert rows, or do nothing if rows of this `token` are in already. Raises ClickHouseError."""
    if rows:
        insert_encoded(client, table, encode(rows), token=token)


def insert_encoded(client: Client, table: str, payload: bytes, *, token: str | None = None) -> None:
    """Like `insert`, with rows that `encode` has made. Raises ClickHouseError."""
    settings = dict(_INSERT)
    if token is not None:
        settings["insert_deduplication_token"] = token
    try:
        client.raw_insert(table, insert_block=payload, settings=settings, fmt="JSONEachRow")
    except DriverError as error:
        raise named(error) from error


def query(client: Client, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Rows by column name; values are always bound, never pasted. Raises ClickHouseError."""
    try:
        return list(client.query(sql, parameters=dict(parameters or {})).named_results())
    except DriverError as error:
        raise named(error) from error


def command(client: Client, sql: str) -> None:
    """A statement without rows. Raises ClickHouseError."""
    try:
        client.command(sql)
    except DriverError as error:
        raise named(error) from error


def encode(rows: Sequence[Row]) -> bytes:
    """Rows as JSONEachRow."""
    return _encoder.encode_lines(rows)


def named(error: Exception, url: str = "") -> ClickHouseError:
    """A driver's error in words."""
    text = str(error)
    match = _CODE.search(text)
    if match is None:
        where = f" at {url}" if url else ""
        return ClickHouseError(
            f"ClickHouse{where} does not answer", "Is it running, and is the address right?", None, text
        )
    code = int(match[1] or match[2])
    own_words = text[text.find("DB::Exception: ") + len("DB::Exception: ") :].split("(version")[0].strip()
    reason, hint = _WORDS.get(
        code,
        (f"ClickHouse refused (code {code}): {' '.join(own_words.split())[:300]}", "Nothing was changed."),
    )
    return ClickHouseError(reason, hint, code, text)
