"""HTTP in, statements out: the part of ClickHouse's interface that clients use, on aiohttp."""

from __future__ import annotations

import asyncio
import gzip
import json
import uuid
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import lz4.frame  # type: ignore[import-untyped]  # comes with clickhouse-connect, without types
from aiohttp import web
from aiohttp.typedefs import Handler

from sinks.front.engine import Engine, EngineError, Request, Result

_MAX_REQUEST_BYTES = 512 * 1024 * 1024
_READERS = 8
_WRITERS = 4
"""Reads never take the last thread from inserts: what is measured must get in while someone looks at it."""

# Parameters of the interface itself; every other one is a setting of the engine.
_TRANSPORT = frozenset(
    {
        "query", "database", "default_format", "query_id", "session_id", "session_timeout", "session_check",
        "quota_key", "user", "password", "role", "compress", "decompress", "buffer_size", "wait_end_of_query",
        "client_protocol_version", "enable_http_compression", "send_progress_in_http_headers",
        "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close",
    }
)  # fmt: skip
_STATUS = {
    400: {6, 26, 27, 33, 38, 41, 53, 62, 69, 72, 117, 130, 131, 386, 456, 457},
    403: {164, 497, 516},
    404: {15, 16, 36, 46, 47, 50, 56, 60, 73, 81, 115},
    408: {159},
    501: {48},
}
_STATUS_OF_CODE = {code: status for status, codes in _STATUS.items() for code in codes}
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class Front:
    """Serves one engine. Queries of several clients run side by side; a reader that goes away is stopped."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="read")
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="write")
        self._killer = ThreadPoolExecutor(1, thread_name_prefix="kill")
        self.running = 0
        """Statements begun and not ended."""

    def application(self) -> web.Application:
        """The routes `/ping`, `/replicas_status` and `/`."""
        app = web.Application(client_max_size=_MAX_REQUEST_BYTES, middlewares=[_only_from_here])
        app.router.add_get("/ping", _ping)
        app.router.add_get("/replicas_status", _ping)
        app.router.add_route("GET", "/", self._answer)
        app.router.add_route("POST", "/", self._answer)
        return app

    async def _answer(self, http: web.Request) -> web.Response:
        """One statement: 200 with its result, or an error status with the engine's exception as text."""
        query_id = http.query.get("query_id") or str(uuid.uuid4())
        common = {
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": self._engine.timezone,
            "X-ClickHouse-Server-Display-Name": "opsloom-embedded",
        }
        try:
            request = await _read(http, query_id)
            if not request.text.strip():
                return web.Response(text="Ok.\n", headers=common)
            result = await self._run(request)
        except EngineError as error:
            text = f"{error.text} (version {self._engine.version} (embedded))\n"
            status = _STATUS_OF_CODE.get(error.code, 500)
            return web.Response(
                text=text, status=status, headers={**common, "X-ClickHouse-Exception-Code": str(error.code)}
            )
        return web.Response(body=result.body, headers={**common, **_headers(result)})

    def _ended(self, work: asyncio.Future[Result]) -> None:
        self.running -= 1
        if not work.cancelled():
            work.exception()  # heard, also where nobody waits for it any more

    async def _run(self, request: Request) -> Result:
        reads = self._engine.is_read_only(request)
        work = (self._readers if reads else self._writers).submit(self._engine.run, request)
        waiting = asyncio.wrap_future(work)
        self.running += 1
        waiting.add_done_callback(self._ended)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            # The client has gone. A read is stopped; a write finishes, as its sender may have counted on it.
            if reads and not work.cancel():
                self._killer.submit(self._engine.kill, request.query_id)
            raise


async def _ping(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


@web.middleware
async def _only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page in a browser may not reach the engine, neither directly nor under a name that points here."""
    host = urlsplit(f"//{request.host}").hostname
    if request.headers.get("Origin") is not None or host not in _HERE:
        return web.Response(status=403, text="Code: 497. DB::Exception: Only for programs of this machine.\n")
    return await handler(request)


async def _read(http: web.Request, query_id: str) -> Request:
    """The request's statement, settings and parameters."""
    asked = dict(http.query)
    if http.content_type == "multipart/form-data":
        form = await http.post()
        asked.update({name: value for name, value in form.items() if isinstance(value, str)})
        if len(form) and any(not isinstance(value, str) for value in form.values()):
            raise EngineError("Code: 48. DB::Exception: External data is not supported. (NOT_IMPLEMENTED)")
        body = b""
    else:
        body = _decompress(await http.read(), http.headers.get("Content-Encoding", ""))
    query = asked.get("query", "").encode()
    text = query + b"\n" + body if query and body else query or body
    return Request(
        text=text,
        query_id=query_id,
        database=asked.get("database") or http.headers.get("X-ClickHouse-Database"),
        settings=_settings(asked),
        parameters={name[6:]: value for name, value in asked.items() if name.startswith("param_")},
        default_format=asked.get("default_format", "TabSeparated"),
        readonly=http.method == "GET",
    )


def _settings(asked: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in asked.items()
        if name not in _TRANSPORT and not name.startswith("param_")
    }


def _decompress(body: bytes, encoding: str) -> bytes:
    """Undo what a client library does to its inserts by default."""
    if encoding in ("", "identity"):
        return body
    if encoding == "lz4":
        return bytes(lz4.frame.decompress(body))
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    raise EngineError(f"Code: 48. DB::Exception: Content-Encoding {encoding}: not here. (NOT_IMPLEMENTED)")


def _headers(result: Result) -> dict[str, str]:
    summary = {
        "read_rows": result.rows_read,
        "read_bytes": result.bytes_read,
        "written_rows": result.rows_written,
        "written_bytes": result.bytes_written,
        "elapsed_ns": round(result.elapsed_s * 1e9),
    }
    headers = {
        "X-ClickHouse-Summary": json.dumps({name: str(value) for name, value in summary.items()}),
        "Content-Type": _content_type(result.format or "Text"),
    }
    if result.format is not None:
        headers["X-ClickHouse-Format"] = result.format
    return headers


def _content_type(form: str) -> str:
    lowered = form.lower()
    if lowered == "jsoneachrow":
        return "application/x-ndjson; charset=UTF-8"
    if lowered.startswith("json"):
        return "application/json; charset=UTF-8"
    if lowered.startswith("csv"):
        return "text/csv; charset=UTF-8; header=absent"
    if lowered.startswith(("tabseparated", "tsv")):
        return "text/tab-separated-values; charset=UTF-8"
    if lowered == "text":
        return "text/plain; charset=UTF-8"
    return "application/octet-stream"
