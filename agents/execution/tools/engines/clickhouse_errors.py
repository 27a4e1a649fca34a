"""What ClickHouse says went wrong, in our codes. The text stays with operators."""

import re

from schemas.errors import ErrorCode, OpsError, ops_error

_CODE = re.compile(r"[Cc]ode: (\d+)")

_CODES = {
    159: ErrorCode.TOOL_TIMEOUT,  # TIMEOUT_EXCEEDED
    160: ErrorCode.TOOL_TIMEOUT,  # TOO_SLOW
    394: ErrorCode.TOOL_TIMEOUT,  # QUERY_WAS_CANCELLED
    193: ErrorCode.AUTH_FAILED,  # WRONG_PASSWORD
    194: ErrorCode.AUTH_FAILED,  # REQUIRED_PASSWORD
    516: ErrorCode.AUTH_FAILED,  # AUTHENTICATION_FAILED
    497: ErrorCode.PERMISSION_DENIED,  # ACCESS_DENIED
    164: ErrorCode.SQL_BLOCKED,  # READONLY
    202: ErrorCode.UPSTREAM_UNAVAILABLE,  # TOO_MANY_SIMULTANEOUS_QUERIES
    209: ErrorCode.UPSTREAM_UNAVAILABLE,  # SOCKET_TIMEOUT
    210: ErrorCode.UPSTREAM_UNAVAILABLE,  # NETWORK_ERROR
    241: ErrorCode.TOOL_BAD_REQUEST,  # MEMORY_LIMIT_EXCEEDED: the same question would need as much again
    242: ErrorCode.UPSTREAM_UNAVAILABLE,  # TABLE_IS_READ_ONLY
}


def as_error(error: Exception, *, stopped: bool) -> OpsError:
    """An error of the driver as an error of ours. Without a number of the server it never answered."""
    text = str(error)
    if stopped:
        return ops_error(ErrorCode.TOOL_TIMEOUT, detail=text)
    found = _CODE.search(text)
    if found is None:
        slow = "timed out" in text.lower()
        return ops_error(ErrorCode.TOOL_TIMEOUT if slow else ErrorCode.UPSTREAM_UNAVAILABLE, detail=text)
    return ops_error(_CODES.get(int(found.group(1)), ErrorCode.TOOL_BAD_REQUEST), detail=text)
