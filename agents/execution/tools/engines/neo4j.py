"""Neo4j over Bolt: read transactions only, a timeout on the server, a connection pool per account. Extra: `neo4j`.

The second wall behind the Cypher guard is the account: give it the role `reader`, and on Enterprise property-based
access rules for its tenant (`{tenant}` in the source's user).
"""

import asyncio
import concurrent.futures
from typing import Any

import neo4j
from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError, ServiceUnavailable
from neo4j.graph import Node, Path, Relationship

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tools.engines.account import Account, account_of
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.graph_values import Listed, entity, listed_of
from agents.execution.tools.engines.loop_thread import LoopThread
from agents.execution.tools.engines.scalars import scalar
from agents.execution.tools.threads import Stop
from schemas.errors import ErrorCode, OpsError, ops_error
from streams.secrets import SecretError

_PORT = 7687
_CONNECT_S = 5.0
_GRACE_S = 1.0
"""The server ends a transaction itself; this long we wait for it to say so."""
_POOL = 8

_AccountKey = tuple[str, str, str]


class Neo4jEngine:
    """Keeps a driver per server and account between questions."""

    def __init__(self) -> None:
        self._loop = LoopThread("neo4j")
        self._drivers: dict[_AccountKey, neo4j.AsyncDriver] = {}

    def ask(self, question: Question, stop: Stop) -> Found | OpsError:
        """Run the statement. TOOL_TIMEOUT when stopped or too slow, UPSTREAM_UNAVAILABLE when the server is away,
        AUTH_FAILED when it does not know us, SQL_BLOCKED when the account may not, else TOOL_BAD_REQUEST."""
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
            return ops_error(ErrorCode.TOOL_TIMEOUT, detail="the query was stopped")
        except (Neo4jError, DriverError, OSError) as error:
            return _as_error(error)
        finally:
            stop.calls(None)

    def close(self) -> None:
        """Close the drivers and end the loop's thread."""
        self._loop.close(self._close_drivers(), _CONNECT_S)

    async def _asked(self, account: Account, question: Question) -> Found:
        driver = self._driver(account, question)
        values = dict(question.values)
        if TENANT_PLACEHOLDER in question.statement:
            values[TENANT_PLACEHOLDER] = question.tenant_id
        query = neo4j.Query(question.statement, timeout=question.timeout_s)
        listed = listed_of(question.source.tables)
        async with asyncio.timeout(question.timeout_s + _GRACE_S):
            async with driver.session(
                database=account.database or None,
                default_access_mode=neo4j.READ_ACCESS,
                fetch_size=min(1_000, question.max_rows),
            ) as session:
                result = await session.run(query, values)
                records = await result.fetch(question.max_rows)
                columns = tuple(result.keys())
        rows = [[scalar(_shown(value, listed)) for value in record.values()] for record in records]
        return Found(columns, rows)

    def _driver(self, account: Account, question: Question) -> neo4j.AsyncDriver:
        scheme = question.source.location.partition("://")[0]
        address = f"{scheme}://{account.host}:{account.port}"
        key = (address, account.user, account.password)
        if key not in self._drivers:
            self._drivers[key] = neo4j.AsyncGraphDatabase.driver(
                address,
                auth=neo4j.basic_auth(account.user, account.password) if account.user else None,
                connection_timeout=_CONNECT_S,
                connection_acquisition_timeout=_CONNECT_S,
                max_connection_pool_size=_POOL,
                max_transaction_retry_time=0,
                telemetry_disabled=True,
                user_agent="opsloom",
            )
        return self._drivers[key]

    async def _close_drivers(self) -> None:
        for driver in self._drivers.values():
            await driver.close()
        self._drivers.clear()


def _shown(value: Any, listed: Listed) -> Any:
    if isinstance(value, Node):
        return entity(next(iter(value.labels), ""), dict(value), listed)
    if isinstance(value, Relationship):
        return entity(value.type, dict(value), listed)
    if isinstance(value, Path):
        return [_shown(each, listed) for each in value.nodes]
    if isinstance(value, list):
        return [_shown(each, listed) for each in value]
    if isinstance(value, dict):
        return {name: _shown(each, listed) for name, each in value.items()}
    return value.to_native() if hasattr(value, "to_native") else value


def _as_error(error: Neo4jError | DriverError | OSError) -> OpsError:
    code = getattr(error, "code", None) or ""
    detail = f"{type(error).__name__} {code}: {error}"
    if isinstance(error, AuthError):
        return ops_error(ErrorCode.AUTH_FAILED, detail=detail)
    if "TransactionTimedOut" in code or "Terminated" in code or isinstance(error, TimeoutError):
        return ops_error(ErrorCode.TOOL_TIMEOUT, detail=detail)
    if "Forbidden" in code or "AccessMode" in code:
        return ops_error(ErrorCode.SQL_BLOCKED, detail=detail)
    if isinstance(error, ServiceUnavailable | DriverError | OSError) or "TransientError" in code:
        return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, detail=detail)
    if isinstance(error, ClientError):
        return ops_error(ErrorCode.TOOL_BAD_REQUEST, detail=detail)
    return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, detail=detail)
