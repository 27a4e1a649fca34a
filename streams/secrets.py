"""Credentials are written as references and resolved where they are used."""

import os
from pathlib import Path


class SecretError(Exception):
    """A credential that can't be had; the text says what to do and never what it is."""


def resolve_secret(reference: str) -> str:
    """The secret behind `env:NAME` or `file:PATH`; an empty reference is no secret. Plain text is refused."""
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
    raise SecretError("A credential must be written as env:NAME or file:PATH, not as plain text.")
