"""Whom a server knows us as: the source's account and its password, for the tenant that asks."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from agents.execution.tools.engines.engine import Question
from streams.secrets import resolve_secret


@dataclass(frozen=True)
class Account:
    """Where and as whom. The password never shows in a representation."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)


def account_of(question: Question, *, port: int) -> Account:
    """The account for a question. Raises `SecretError` when its password can't be had, ValueError when the location
    is no address."""
    source, tenant = question.source, question.tenant_id
    place = urlsplit(source.location.replace("{tenant}", tenant))
    if not place.hostname:
        raise ValueError("the source's location is no address")
    return Account(
        host=place.hostname,
        port=place.port or port,
        database=unquote(place.path.strip("/")),
        user=source.user.replace("{tenant}", tenant) or unquote(place.username or ""),
        password=resolve_secret(source.credential.replace("{tenant}", tenant)),
    )
