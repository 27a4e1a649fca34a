"""What a source asset says of calls to it: the rules of the guard, and the headers with the credential in them."""

from base64 import b64encode
from collections.abc import Mapping

from agents.execution.guards.url.guard import Target, parsed_url
from agents.execution.guards.url.rules import Entry, UrlRules, entry_of
from agents.execution.guards.verdict import Refuse
from registry.assets import SourceAsset
from registry.outbound_assets import HostEntry, OutboundSpec
from schemas.errors import ErrorCode, OpsError, ops_error
from streams.secrets import SecretError, resolved_secret

_NOTHING = OutboundSpec()


def spec_of(source: SourceAsset) -> OutboundSpec:
    """How the source is called; without a word of its own, only its own public host."""
    return source.outbound or _NOTHING


def rules_of(source: SourceAsset) -> UrlRules:
    """Where calls to this source may lead. Its own host is always on the list, as its location spells it."""
    spec = spec_of(source)
    entries = [entry for each in spec.allowlist if (entry := entry_of(_written(each))) is not None]
    own = parsed_url(source.location)
    if isinstance(own, Target):
        entries.append(Entry(own.host, own.port, own.scheme, spec.internal))
    return UrlRules("public" if spec.mode == "public" else "allowlist", tuple(entries), _opened(own, spec))


def _opened(own: Target | Refuse, spec: OutboundSpec) -> tuple[Entry, ...]:
    if not spec.internal or isinstance(own, Refuse):
        return ()
    return (Entry(own.host, own.port, own.scheme, internal=True),)


def _written(entry: str | HostEntry) -> str | dict[str, object]:
    return entry if isinstance(entry, str) else entry.model_dump(exclude_none=True)


async def headers_of(source: SourceAsset) -> Mapping[str, str] | OpsError:
    """The source's headers, its credential resolved now."""
    spec = spec_of(source)
    headers = dict(spec.headers)
    if spec.credential is None:
        return headers
    try:
        secret = await resolved_secret(spec.credential.secret)
    except SecretError as error:
        return ops_error(ErrorCode.AUTH_FAILED, "The tool's credential could not be had.", detail=str(error))
    if not secret or any(char in secret for char in "\r\n\0"):
        return ops_error(
            ErrorCode.AUTH_FAILED, "The tool's credential could not be had.", detail="it is empty or broken"
        )
    if spec.credential.scheme == "Basic":
        secret = b64encode(secret.encode()).decode()
    headers[spec.credential.header] = f"{spec.credential.scheme} {secret}".strip()
    return headers
