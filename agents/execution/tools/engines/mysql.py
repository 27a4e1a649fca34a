"""MySQL and MariaDB over PyMySQL: a SELECT-only account per tenant, a read-only transaction, a limit on the server.

The account sees a database of views of its tenant's rows (`opsloom guard mysql-setup` prints it).
"""

import contextlib
import threading
from typing import Any

import pymysql
from pymysql.constants import ER

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tools.engines.account import Account, account_of
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.placeholders import rewritten
from agents.execution.tools.engines.scalars import rows_of
from agents.execution.tools.threads import Stop
from schemas.errors import ErrorCode, OpsError, ops_error
from streams.secrets import SecretError

_PORT = 3306
_CONNECT_S = 5
_GRACE_S = 2

_CODES = {
    1969: ErrorCode.TOOL_TIMEOUT,  # MariaDB: max_statement_time exceeded
    3024: ErrorCode.TOOL_TIMEOUT,  # MySQL: max_execution_time exceeded
    ER.QUERY_INTERRUPTED: ErrorCode.TOOL_TIMEOUT,
    ER.ACCESS_DENIED_ERROR: ErrorCode.AUTH_FAILED,
    ER.DBACCESS_DENIED_ERROR: ErrorCode.AUTH_FAILED,
    ER.TABLEACCESS_DENIED_ERROR: ErrorCode.SQL_BLOCKED,
    ER.COLUMNACCESS_DENIED_ERROR: ErrorCode.SQL_BLOCKED,
    1792: ErrorCode.SQL_BLOCKED,  # cannot execute in a read-only transaction
    ER.SPECIFIC_ACCESS_DENIED_ERROR: ErrorCode.SQL_BLOCKED,
    ER.CON_COUNT_ERROR: ErrorCode.UPSTREAM_UNAVAILABLE,
}


class MySqlEngine:
    """Connects for each question: a connection is cheap there, and none is left in an unknown state."""

    def ask(self, question: Question, stop: Stop) -> Found | OpsError:
        """Run the statement. TOOL_TIMEOUT when stopped or too slow, UPSTREAM_UNAVAILABLE when the server is away,
        AUTH_FAILED when it does not know us, SQL_BLOCKED when the account may not, else TOOL_BAD_REQUEST."""
        try:
            account = account_of(question, port=_PORT)
        except (SecretError, ValueError) as error:
            return ops_error(ErrorCode.AUTH_FAILED, detail=str(error))
        try:
            with contextlib.closing(_connected(account, question.timeout_s)) as connection:
                stop.calls(lambda: _kill(account, connection.thread_id()))  # type: ignore[no-untyped-call]
                try:
                    return _found(connection, question)
                finally:
                    stop.calls(None)
        except (pymysql.MySQLError, OSError) as error:
            return _as_error(error, stopped=bool(stop))

    def close(self) -> None:
        """Nothing stays open between questions."""


def _connected(account: Account, timeout_s: float) -> "pymysql.Connection[Any]":
    return pymysql.connect(
        host=account.host,
        port=account.port,
        user=account.user,
        password=account.password,
        database=account.database or None,
        charset="utf8mb4",
        connect_timeout=_CONNECT_S,
        read_timeout=int(timeout_s) + _GRACE_S,
        write_timeout=_CONNECT_S,
        autocommit=False,
        local_infile=False,
    )


def _found(connection: "pymysql.Connection[Any]", question: Question) -> Found:
    values = {**question.values, TENANT_PLACEHOLDER: question.tenant_id}
    statement = rewritten(question.statement, "mysql", lambda name: connection.escape(values[name]))
    with connection.cursor() as cursor:
        if "MariaDB" in connection.get_server_info():  # type: ignore[no-untyped-call]
            cursor.execute(f"SET SESSION max_statement_time = {max(0.05, question.timeout_s):.3f}")
        else:
            cursor.execute(f"SET SESSION max_execution_time = {max(50, int(question.timeout_s * 1_000))}")
        # The driver reads all rows there are, so the server is told how many there may be.
        cursor.execute(f"SET SESSION sql_select_limit = {int(question.max_rows)}")
        cursor.execute("START TRANSACTION READ ONLY")
        cursor.execute(statement)
        columns = tuple(column[0] for column in cursor.description or ())
        return Found(columns, rows_of(cursor.fetchmany(question.max_rows)))


def _kill(account: Account, thread_id: int) -> None:
    """Best effort, in a thread of its own: the statement ends by its own limit anyway."""

    def kill() -> None:
        with (
            contextlib.suppress(pymysql.MySQLError, OSError),
            contextlib.closing(_connected(account, _GRACE_S)) as other,
        ):
            other.kill(thread_id)  # type: ignore[no-untyped-call]

    threading.Thread(target=kill, name="mysql-kill", daemon=True).start()


def _as_error(error: Exception, *, stopped: bool) -> OpsError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    detail = f"{type(error).__name__}: {error}"
    if stopped or "timed out" in str(error):
        return ops_error(ErrorCode.TOOL_TIMEOUT, detail=detail)
    if number >= 2000 and number < 3000:
        return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, detail=detail)
    return ops_error(_CODES.get(number, ErrorCode.TOOL_BAD_REQUEST), detail=detail)
