"""The HTTP interface of `opsloom up`: where it listens, and who may ask."""

import os
import secrets
import socket
from pathlib import Path

from cli.parts import Part, PartNotReady, environment_of
from streams.settings import Settings

HOST = "127.0.0.1"
USUAL_PORT = 8080
TOKEN_FILE = "web-token"  # noqa: S105  # a file's name
TOKEN_BYTES = 32


def with_a_way_in(settings: Settings) -> Settings | None:
    """Settings by which somebody may ask: those given, or, unless this is production, a token in a file of the data
    folder. None when nobody could."""
    if settings.web_jwt_secret or settings.web_jwks_url or settings.web_dev_token:
        return settings
    if os.environ.get("OPSLOOM_ENVIRONMENT") == "production":
        return None
    token = f"file:{token_file(settings.data_dir)}"
    return settings.model_copy(update={"environment": "development", "web_dev_token": token})


def token_file(data_dir: Path) -> Path:
    """The file of the token, which only its owner may read; made when it is not there."""
    path = data_dir / TOKEN_FILE
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_urlsafe(TOKEN_BYTES))
    return path


async def open_front_door(settings: Settings, port: int | None) -> tuple[Part, str]:
    """Start the HTTP interface; gives its process and address. Raises PartNotReady.

    `port` None: the usual one, or any other when that is taken.
    """
    wanted = [port] if port is not None else ([USUAL_PORT, 0] if _is_free(USUAL_PORT) else [0])
    log = settings.data_dir / "web.log"
    for number in wanted:
        command = ["web", "--host", HOST, "--port", str(number), "--json"]
        part = Part("HTTP interface", command, log, environment_of(settings))
        try:
            return part, str((await part.ready())["url"])
        except PartNotReady:
            await part.stop(0.5)
            if number == wanted[-1]:
                raise
    raise AssertionError("unreachable")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
