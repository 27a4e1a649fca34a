"""Credentials are written as references and resolved where they are used."""

import asyncio
import os
from pathlib import Path


class SecretError(Exception):
    """A credential that can't be had; the text says what to do and never what it is."""


def resolve_secret(reference: str) -> str:
    """The secret behind `env:NAME`, `file:PATH` or `vault:PATH#KEY`; an empty reference is no secret. Plain text is
    refused. Waits for a vault: use `resolved_secret` where others must not wait."""
    if not reference:
        return ""
    kind, _, name = reference.partition(":")
    if kind == "env":
        if name not in os.environ:
            raise SecretError(f"The environment variable {name} of a credential is not set.")
        return os.environ[name]
    if kind == "file":
        try:
            return Path(name).read_text().strip()
        except OSError as exc:
            raise SecretError(f"The file of a credential could not be read ({exc.strerror}).") from exc
    if kind == "vault":
        return _from_vault(name)
    raise SecretError(
        "A credential must be written as env:NAME, file:PATH or vault:PATH#KEY, not as plain text."
    )


async def resolved_secret(reference: str) -> str:
    """The same without holding up the loop."""
    if reference.partition(":")[0] == "env" or not reference:
        return resolve_secret(reference)
    return await asyncio.to_thread(resolve_secret, reference)


_VAULT_S = 5


def _from_vault(name: str) -> str:
    """`PATH#KEY` of a key-value store (version 2, else 1); the first part of the path is its mount. Where the vault
    is and who asks stands in VAULT_ADDR and VAULT_TOKEN, as for the vault's own tools."""
    path, mark, key = name.partition("#")
    mount, _, rest = path.strip("/").partition("/")
    if not mark or not key or not rest:
        raise SecretError("A credential in a vault is written as vault:MOUNT/PATH#KEY.")
    try:
        import hvac
        from hvac.exceptions import VaultError
        from requests.exceptions import RequestException
    except ImportError as exc:
        raise SecretError(
            'A credential in a vault needs the extra vault. Install it: pip install "opsloom[vault]"'
        ) from exc
    try:
        client = hvac.Client(timeout=_VAULT_S)
        reply = client.read(f"{mount}/data/{rest}") or client.read(f"{mount}/{rest}")
    except (VaultError, RequestException) as exc:
        raise SecretError(f"The vault of a credential refused or was away ({type(exc).__name__}).") from exc
    found = (reply or {}).get("data") or {}
    fields = found["data"] if isinstance(found.get("data"), dict) else found
    if not isinstance(fields.get(key), str):
        raise SecretError("The vault has no such credential.")
    return str(fields[key])
