"""Who calls: a token becomes a tenant, a user and roles, or a refusal."""

import hmac
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import jwt
from pydantic import TypeAdapter, ValidationError

from schemas.errors import ErrorCode
from schemas.ids import TenantId
from web.failures import Failed, failed

ROLES = ("admin", "manager", "developer", "viewer")
LEEWAY_S = 10
"""How far clocks may differ."""
KEPT_S = 60.0
"""A token that was checked a moment ago is not checked again for so long, nor after its end."""
TOKENS_KEPT = 10_000
MAX_USER_CHARACTERS = 128

_tenant_ids: TypeAdapter[str] = TypeAdapter(TenantId)
_log = logging.getLogger(__name__)


class Caller(NamedTuple):
    """`tenant_id` None: may speak for any tenant (the development token alone)."""

    tenant_id: str | None
    user_id: str
    roles: tuple[str, ...]


class Keys(Protocol):
    """Where the key of a token comes from, and by which algorithms it may be used."""

    algorithms: tuple[str, ...]

    async def key_for(self, header: Mapping[str, Any]) -> Any:
        """The key. Raises Failed."""
        ...


class SharedSecret:
    """HS256 with one secret of at least 32 bytes."""

    algorithms: tuple[str, ...] = ("HS256",)

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    async def key_for(self, header: Mapping[str, Any]) -> bytes:
        return self._secret


class Callers:
    """Judges the Authorization header."""

    def __init__(
        self,
        keys: Keys | None,
        *,
        audience: str | None,
        issuer: str | None,
        development_token: str,
        clock: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._development_token = development_token.encode()
        self._clock = clock
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    async def caller(self, authorization: str | None) -> Caller:
        """Who it is. Raises Failed: AUTH_FAILED, PERMISSION_DENIED, UPSTREAM_UNAVAILABLE."""
        kind, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token or not token.isascii():
            raise unauthorised("A bearer token is needed.")
        if self._development_token and hmac.compare_digest(token.encode(), self._development_token):
            return Caller(None, "developer", ("developer",))
        if self._keys is None:
            raise unauthorised("The token is not known.")
        known = self._known.get(token)
        if known is not None and known[1] > self._clock():
            return known[0]
        claims = await self._claims(token, self._keys)
        found = caller_of(claims)
        self._known[token] = found, min(self._clock() + KEPT_S, float(claims["exp"]))
        while len(self._known) > TOKENS_KEPT:
            self._known.popitem(last=False)
        return found

    async def _claims(self, token: str, keys: Keys) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in keys.algorithms:  # said before any key is looked for
                raise unauthorised("The token is signed in a way that is not taken.")
            key = await keys.key_for(header)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(keys.algorithms),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "sub"], "verify_aud": self._audience is not None},
            )
        except jwt.ExpiredSignatureError:
            raise unauthorised("The token has expired.") from None
        except jwt.MissingRequiredClaimError as exc:
            raise unauthorised(f"The token has no {exc.claim}.") from None
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise unauthorised("The token was not made for this service.") from None
        except jwt.PyJWTError as exc:
            raise unauthorised("The token is not valid.", detail=type(exc).__name__) from None
        return claims


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """The claims tenant_id, sub and roles. Raises Failed."""
    user, tenant, roles = claims["sub"], claims.get("tenant_id"), claims.get("roles")
    if not isinstance(user, str) or not 1 <= len(user) <= MAX_USER_CHARACTERS:
        raise unauthorised(f"The token's sub must be a text of 1 to {MAX_USER_CHARACTERS} characters.")
    try:
        tenant_id = _tenant_ids.validate_python(tenant, strict=True)
    except ValidationError:
        raise unauthorised("The token names no tenant: tenant_id is missing or wrong.") from None
    if not isinstance(roles, list):
        raise unauthorised("The token names no roles: roles must be a list.")
    known = tuple(role for role in ROLES if role in roles)
    if not known:
        raise failed(
            ErrorCode.PERMISSION_DENIED,
            "None of the token's roles may ask.",
            suggestion=f"One of {', '.join(ROLES)} is needed.",
        )
    return Caller(tenant_id, user, known)


def tenant_for(caller: Caller, asked_for: str | None, default: str = "local") -> str:
    """The tenant a request is for: the token's, which the body may only repeat. Raises Failed."""
    if caller.tenant_id is None:
        return asked_for or default
    if asked_for is not None and asked_for != caller.tenant_id:
        raise failed(ErrorCode.TENANT_MISMATCH, "The token belongs to another tenant.")
    return caller.tenant_id


def unauthorised(message: str, detail: str | None = None) -> Failed:
    """401, and how to do it."""
    return failed(
        ErrorCode.AUTH_FAILED,
        message,
        detail=detail,
        suggestion="Send the header `Authorization: Bearer <token>`.",
        headers={"WWW-Authenticate": "Bearer"},
    )
