"""What goes wrong for a caller, in the one shape that errors have."""

import dataclasses
from collections.abc import Mapping

import msgspec
from aiohttp import web

from schemas.errors import ErrorCode, OpsError, PublicError, ops_error

STATUS_OF: Mapping[ErrorCode, int] = {
    ErrorCode.AUTH_FAILED: 401,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.TENANT_MISMATCH: 403,
    ErrorCode.DATA_NOT_FOUND: 404,
    ErrorCode.EVENT_TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 503,
    ErrorCode.UPSTREAM_UNAVAILABLE: 503,
    ErrorCode.EXECUTE_TIMEOUT: 504,
    ErrorCode.NOT_JSON: 400,
    ErrorCode.NOT_UTF8: 400,
    ErrorCode.INTERNAL_ERROR: 500,
}
"""HTTP status by code; all others are 422: understood, and not to be done."""

UNPROCESSABLE = 422

_encode = msgspec.json.Encoder().encode


class Failed(Exception):
    """Ends a request with an error. `error.detail` is for the log, never for the caller."""

    def __init__(
        self, error: OpsError, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.status = status or STATUS_OF.get(error.code, UNPROCESSABLE)
        self.headers = dict(headers or {})


def failed(
    code: ErrorCode,
    message: str | None = None,
    *,
    suggestion: str | None = None,
    detail: str | None = None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Failed:
    """An error of a code, with a sentence for the caller."""
    error = ops_error(code, message, detail=detail, suggestion=suggestion)
    return Failed(error, status=status, headers=headers)


def retry_later(failure: Failed, after_s: int) -> Failed:
    """The same, and when to come back."""
    again = dataclasses.replace(failure.error, retryable=True)
    return Failed(again, status=failure.status, headers={**failure.headers, "Retry-After": str(after_s)})


def error_response(error: PublicError, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """The error as JSON."""
    return json_response(error, status, headers)


def json_response(word: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A word as JSON; never kept by caches, for what is in it belongs to one tenant."""
    return web.Response(
        body=_encode(word),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
