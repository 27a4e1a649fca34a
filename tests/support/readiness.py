"""Ask a broker, without a Kafka client, whether it answers requests yet."""

from __future__ import annotations

import socket
import struct

_API_VERSIONS_KEY = 18
_CORRELATION_ID = 7


def answers_kafka_requests(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Send one ApiVersions request (version 0, no client id) and see whether its answer comes."""
    request = struct.pack(">hhih", _API_VERSIONS_KEY, 0, _CORRELATION_ID, -1)
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(8)
    except OSError:
        return False
    return len(answer) == 8 and struct.unpack(">ii", answer)[1] == _CORRELATION_ID
