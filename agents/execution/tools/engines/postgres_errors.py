"""What PostgreSQL says went wrong, in our codes. The text stays with operators."""

from collections.abc import Mapping

from schemas.errors import ErrorCode, OpsError, ops_error


class MightyRole(Exception):
    """The role could get past the second wall, so it asks nothing."""


_STATES: Mapping[str, ErrorCode] = {
    "57014": ErrorCode.TOOL_TIMEOUT,  # query_canceled: by its timeout or by us
    "42501": ErrorCode.SQL_BLOCKED,  # insufficient_privilege
    "25006": ErrorCode.SQL_BLOCKED,  # read_only_sql_transaction
    "3D000": ErrorCode.UPSTREAM_UNAVAILABLE,  # invalid_catalog_name: there is no such database
}
_CLASSES: Mapping[str, ErrorCode] = {
    "08": ErrorCode.UPSTREAM_UNAVAILABLE,  # connection
    "28": ErrorCode.AUTH_FAILED,  # authorization
    "53": ErrorCode.UPSTREAM_UNAVAILABLE,  # resources
    "57": ErrorCode.UPSTREAM_UNAVAILABLE,  # the operator intervened: shutting down, starting up
    "58": ErrorCode.UPSTREAM_UNAVAILABLE,  # system
}


def as_error(error: BaseException) -> OpsError:
    """An error of the driver as an error of ours. Without a state the server never answered."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, MightyRole):
        return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=detail)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        code = _STATES.get(state) or _CLASSES.get(state[:2]) or ErrorCode.TOOL_BAD_REQUEST
        return ops_error(code, detail=f"{state} {detail}")
    away = isinstance(error, OSError) or "connection" in str(error).lower()
    return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE if away else ErrorCode.TOOL_BAD_REQUEST, detail=detail)
