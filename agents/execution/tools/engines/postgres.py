"""PostgreSQL over asyncpg: a role per tenant, a read-only transaction, one prepared statement, a timeout on the server.

The driver's loop runs in a thread of its own; engines are asked from threads. Row security stands in the database
(`opsloom guard postgres-setup` prints it); a role that would get past it is refused when it connects.
"""

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import Any

import asyncpg

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tools.engines.account import Account, account_of
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.loop_thread import LoopThread
from agents.execution.tools.engines.placeholders import numbered
from agents.execution.tools.engines.postgres_errors import MightyRole, as_error
from agents.execution.tools.engines.scalars import rows_of
from agents.execution.tools.threads import Stop
from schemas.errors import ErrorCode, OpsError, ops_error
from streams.secrets import SecretError

_PORT = 5432
_CONNECT_S = 5.0
_GRACE_S = 1.0
"""The server ends a statement itself; this long we wait for it to say so."""
_IDLE_KEPT = 4
_MIGHTY = "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user"

_Key = tuple[str, int, str, str]


class PostgresEngine:
    """Keeps a few connections per role between questions."""

    def __init__(self) -> None:
        self._loop = LoopThread("postgres")
        self._idle: dict[_Key, list[Any]] = {}

    def ask(self, question: Question, stop: Stop) -> Found | OpsError:
        """Run the statement. TOOL_TIMEOUT when stopped or too slow, UPSTREAM_UNAVAILABLE when the server is away,
        AUTH_FAILED when it does not know us, SQL_BLOCKED when the role may not, ASSET_LOAD_FAILED when it may too
        much, else TOOL_BAD_REQUEST."""
        try:
            account = account_of(question, port=_PORT)
        except (SecretError, ValueError) as error:
            return ops_error(ErrorCode.AUTH_FAILED, detail=str(error))
        asked = self._loop.submit(self._asked(account, question))
        stop.calls(asked.cancel)
        try:
            return asked.result(question.timeout_s + _CONNECT_S + 2 * _GRACE_S)
        except (concurrent.futures.CancelledError, TimeoutError):
            asked.cancel()
            return ops_error(ErrorCode.TOOL_TIMEOUT, detail="the statement was stopped")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, MightyRole) as error:
            return as_error(error)
        finally:
            stop.calls(None)

    def close(self) -> None:
        """Close the connections and end the loop's thread."""
        self._loop.close(self._close_idle(), _CONNECT_S)

    async def _asked(self, account: Account, question: Question) -> Found:
        key = (account.host, account.port, account.database, account.user)
        connection = await self._taken(key, account)
        try:
            found = await _within(_found(connection, question), question.timeout_s + _GRACE_S)
        except (asyncpg.PostgresError, asyncpg.InterfaceError):
            await self._given_back(key, connection)
            raise
        except BaseException:
            # Cancelled or timed out: what the connection is at is unknown.
            connection.terminate()
            raise
        await self._given_back(key, connection)
        return found

    async def _taken(self, key: _Key, account: Account) -> Any:
        idle = self._idle.setdefault(key, [])
        while idle:
            connection = idle.pop()
            if not connection.is_closed():
                return connection
        connection = await asyncpg.connect(
            host=account.host,
            port=account.port,
            database=account.database or None,
            user=account.user or None,
            password=account.password or None,
            timeout=_CONNECT_S,
            statement_cache_size=0,
            server_settings={
                "application_name": "opsloom",
                "default_transaction_read_only": "on",
                "idle_in_transaction_session_timeout": "10000",
                "timezone": "UTC",
            },
        )
        if await connection.fetchval(_MIGHTY):
            connection.terminate()
            raise MightyRole("the role is a superuser or bypasses row security")
        return connection

    async def _given_back(self, key: _Key, connection: Any) -> None:
        """Keep it for the next question, with nothing left of what the statement may have set."""
        idle = self._idle.setdefault(key, [])
        try:
            async with asyncio.timeout(_GRACE_S):
                await connection.execute("DISCARD ALL")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            connection.terminate()
        if connection.is_closed() or len(idle) >= _IDLE_KEPT:
            connection.terminate()
        else:
            idle.append(connection)

    async def _close_idle(self) -> None:
        for idle in self._idle.values():
            for connection in idle:
                connection.terminate()
        self._idle.clear()


async def _within(work: Coroutine[Any, Any, Found], timeout_s: float) -> Found:
    async with asyncio.timeout(timeout_s):
        return await work


async def _found(connection: Any, question: Question) -> Found:
    text, names = numbered(question.statement, "postgres")
    values = {**question.values, TENANT_PLACEHOLDER: question.tenant_id}
    async with connection.transaction(readonly=True):
        await connection.execute(f"SET LOCAL statement_timeout = {max(1, int(question.timeout_s * 1_000))}")
        # Preparing goes by the extended protocol, which takes one statement only.
        prepared = await connection.prepare(text)
        cursor = await prepared.cursor(*(values[name] for name in names))
        rows = await cursor.fetch(question.max_rows)
        columns = tuple(attribute.name for attribute in prepared.get_attributes())
    return Found(columns, rows_of(tuple(row) for row in rows))
