"""ClickHouse over HTTP, read-only: values bound by the server, limits set with each statement, KILL on cancel."""

import contextlib
import logging
import threading
import uuid
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tools.engines.clickhouse_errors import as_error
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.scalars import rows_of
from agents.execution.tools.threads import Stop
from schemas.errors import ErrorCode, OpsError, ops_error
from streams.secrets import SecretError, resolve_secret

_CONNECT_S = 5.0
_ANSWER_S = 65
"""No policy lets a statement run longer than 60 s; a server that hangs holds a thread no longer than this."""
_MAX_MEMORY_BYTES = 2_000_000_000

# The driver logs tracebacks of its own for a server that is away; what it raises says it all.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)


class _Place(NamedTuple):
    location: str
    user: str
    password: str


class ClickHouseEngine:
    """One client for all questions to one address (it keeps a pool of connections), one more to kill with."""

    def __init__(self, database: str = "opsloom", user: str = "default", password: str = "") -> None:
        self._database = database
        self._user = user
        self._password = password
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()

    def ask(self, question: Question, stop: Stop) -> Found | OpsError:
        """Run the statement. TOOL_TIMEOUT when stopped or too slow, UPSTREAM_UNAVAILABLE when the server is away,
        AUTH_FAILED when it does not know us, else TOOL_BAD_REQUEST."""
        query_id = uuid.uuid4().hex
        try:
            place = self._place(question)
            client = self._client(place, "asking")
            stop.calls(lambda: self._kill(place, query_id))
            try:
                result = client.query(
                    question.statement,
                    parameters={**question.values, TENANT_PLACEHOLDER: question.tenant_id},
                    settings=_settings(question),
                    transport_settings={"query_id": query_id},
                )
            finally:
                stop.calls(None)
            return Found(tuple(result.column_names), rows_of(result.result_rows[: question.max_rows]))
        except SecretError as error:
            return ops_error(ErrorCode.AUTH_FAILED, detail=str(error))
        except ClickHouseError as error:
            return as_error(error, stopped=bool(stop))

    def _place(self, question: Question) -> _Place:
        """Where and as whom: the source's own account, a user per tenant where it says so, else the installation's."""
        source = question.source
        if not source.user:
            return _Place(source.location, self._user, self._password)
        named = (text.replace("{tenant}", question.tenant_id) for text in (source.location, source.user))
        location, user = named
        credential = source.credential.replace("{tenant}", question.tenant_id)
        return _Place(location, user, resolve_secret(credential))

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for client in self._clients.values():
                with contextlib.suppress(ClickHouseError, OSError):
                    client.close()
            self._clients.clear()

    def _client(self, place: _Place, role: str) -> Any:
        key = (place.location, place.user, role)
        with self._lock:
            client = self._clients.get(key)
        if client is not None:
            return client
        # Connecting may take seconds, so it holds nobody up; who comes second takes the first one's.
        made = self._connected(place)
        with self._lock:
            client = self._clients.setdefault(key, made)
        if client is not made:
            made.close()
        return client

    def _connected(self, account: _Place) -> Any:
        place = urlsplit(account.location)
        secure = place.scheme == "https"
        client = clickhouse_connect.get_client(
            interface=place.scheme,
            host=place.hostname,
            port=place.port or (8443 if secure else 8123),
            username=account.user,
            password=account.password,
            compress=False,
            query_limit=0,
            tz_mode="aware",
            autogenerate_session_id=False,
            connect_timeout=int(_CONNECT_S),
            send_receive_timeout=_ANSWER_S,
        )
        asked = parse_qs(place.query).get("database", [place.path.strip("/")])[0]
        client.database = asked or self._database
        return client

    def _kill(self, place: _Place, query_id: str) -> None:
        """Best effort, in a thread of its own: the statement ends by its own limit anyway."""

        def kill() -> None:
            with contextlib.suppress(ClickHouseError, OSError):
                self._client(place, "killing").command(f"KILL QUERY WHERE query_id = '{query_id}' ASYNC")

        threading.Thread(target=kill, name="clickhouse-kill", daemon=True).start()


def _settings(question: Question) -> dict[str, Any]:
    return {
        "readonly": 1,
        "max_execution_time": max(question.timeout_s, 0.1),
        "timeout_overflow_mode": "throw",
        "max_result_rows": question.max_rows,
        "result_overflow_mode": "break",
        "max_memory_usage": _MAX_MEMORY_BYTES,
        "cancel_http_readonly_queries_on_client_close": 1,
    }
