"""An HTTP proxy that misbehaves on purpose: refuses, is slow, or hangs up after the work is done."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal

Fault = Literal["none", "error_before", "reset_after", "reset_before", "slow"]


class FaultyProxy:
    """Forwards to `target` ("HOST:PORT"). `fault(path)` is asked for each request and says what goes wrong.

    error_before: 500 without forwarding. reset_before: the connection breaks without forwarding.
    reset_after: forwarded and done, then the connection breaks, so that the sender cannot know.
    slow: forwarded, and the answer held back until `release` is set.
    """

    def __init__(self, target: str, fault: Callable[[str], Fault]) -> None:
        self.target = target
        self.fault = fault
        self.release = threading.Event()
        self.seen: list[tuple[str, Fault]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy._serve(self)

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        fault = self.fault(request.path)
        self.seen.append((request.path, fault))
        if fault == "reset_before":
            return _hang_up(request)
        if fault == "error_before":
            text = b"Code: 999. DB::Exception: keeper is away. (KEEPER_EXCEPTION)"
            return _answer(request, 500, {"X-ClickHouse-Exception-Code": "999"}, text)
        upstream = HTTPConnection(self.target, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        upstream.request(request.command, request.path, body, headers)
        response = upstream.getresponse()
        text = response.read()
        upstream.close()
        if fault == "reset_after":
            return _hang_up(request)
        if fault == "slow":
            self.release.wait(30)
        with suppress(OSError):
            _answer(request, response.status, dict(response.getheaders()), text)
        return None


def _answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response_only(status)
    for name, value in headers.items():
        if name.lower() not in ("content-length", "transfer-encoding", "connection"):
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _hang_up(request: BaseHTTPRequestHandler) -> None:
    """Break the connection with a reset instead of an orderly end."""
    request.close_connection = True
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
