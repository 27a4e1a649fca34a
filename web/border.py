"""Around every request: bounds on headers, errors in one shape, figures, and who may call from a browser."""

import logging
import time
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from schemas.errors import ErrorCode
from web.bodies import check_headers
from web.failures import Failed, error_response, failed
from web.metrics import Metrics

_log = logging.getLogger(__name__)
METHODS = ("GET", "POST", "OPTIONS", "HEAD", "PUT", "PATCH", "DELETE")
CORS_METHODS = "GET, POST"
CORS_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Tenant-Id"
CORS_SHOWN = "X-Trace-Id, Location, Retry-After"
CORS_KEPT_S = 600


def errors_and_figures(metrics: Metrics) -> Middleware:
    """Count and time each request; make of what was raised a response that leaks nothing."""

    @web.middleware
    async def border(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.monotonic()
        resource = request.match_info.route.resource
        route = "unknown" if resource is None else resource.canonical
        status = 499  # nobody waits for the response any more
        try:
            check_headers(request.headers)
            response = await handler(request)
            status = response.status
        except Failed as exc:
            response = _told(exc)
            status = response.status
        except web.HTTPException as exc:
            response = _told(_in_our_words(exc))
            status = response.status
        except ConnectionError:
            raise
        except Exception as exc:  # noqa: BLE001  # border: a bug is logged in full and told in a sentence
            _log.exception("a request to %s failed", route)
            metrics.exceptions.labels(type(exc).__name__, type(exc).__module__).inc()
            response = _told(failed(ErrorCode.INTERNAL_ERROR))
            status = response.status
            metrics.handling.labels(type(exc).__name__).observe(time.monotonic() - began)
        finally:
            method = request.method if request.method in METHODS else "other"
            metrics.requests.labels(route, method, status).inc()
            metrics.seconds.labels(route).observe(time.monotonic() - began)
        return response

    return border


def _told(failure: Failed) -> web.Response:
    if failure.error.detail:
        _log.warning("%s: %s", failure.error.code.value, failure.error.detail)
    return error_response(failure.error.public(), failure.status, failure.headers)


def _in_our_words(exc: web.HTTPException) -> Failed:
    """aiohttp's own refusals: no such path, method not allowed, and the like."""
    if exc.status == web.HTTPNotFound.status_code:
        return failed(
            ErrorCode.DATA_NOT_FOUND, "There is nothing here.", suggestion="GET /openapi.json lists what is."
        )
    if isinstance(exc, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(exc.allowed_methods))
        return failed(
            ErrorCode.INVALID_PARAMS,
            f"Only {allowed} can be done here.",
            status=exc.status,
            headers={"Allow": allowed},
        )
    return failed(ErrorCode.INVALID_PARAMS, f"{exc.reason}.", status=exc.status)


def cors(
    origins: Collection[str],
) -> tuple[Middleware, Callable[[web.Request, web.StreamResponse], Awaitable[None]]]:
    """A middleware for preflights and a signal that marks responses. Without origins no page may call."""

    @web.middleware
    async def preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked_for = request.headers.get("Access-Control-Request-Method")
        if request.method != "OPTIONS" or asked_for is None or request.headers.get("Origin") not in origins:
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": CORS_METHODS,
                "Access-Control-Allow-Headers": CORS_HEADERS,
                "Access-Control-Max-Age": str(CORS_KEPT_S),
            },
        )

    async def mark(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "opsloom"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if not origins:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin")
        if origin in origins and origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = CORS_SHOWN

    return preflights, mark
