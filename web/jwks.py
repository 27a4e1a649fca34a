"""Public keys of a token issuer, fetched when they are needed and kept for a while."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import aiohttp
import jwt
import orjson

from schemas.errors import ErrorCode
from web.callers import unauthorised
from web.failures import failed, retry_later

FETCH_TIMEOUT_S = 5.0
MAX_BYTES = 256 * 1024
FRESH_S = 300.0
"""Keys are fetched again after so long."""
AGAIN_S = 10.0
"""A key that is not there makes them be fetched again, but not more often than this."""
STALE_S = 3_600.0
"""Keys of an issuer that can't be reached are used for so long."""

_log = logging.getLogger(__name__)


class PublishedKeys:
    """RS256 and ES256 by a JWKS document. A symmetric key in it is never used."""

    algorithms: tuple[str, ...] = ("RS256", "ES256")

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._url = url
        self._clock = clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = -inf
        self._turn = asyncio.Lock()

    async def key_for(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        """The key the token names; the only one there is if it names none. Raises Failed."""
        kid = header.get("kid")
        if self._needs_fetching(kid):
            async with self._turn:
                if self._needs_fetching(kid):
                    await self._fetch()
        if self._clock() - self._fetched_at > STALE_S:
            raise retry_later(
                failed(ErrorCode.UPSTREAM_UNAVAILABLE, "Tokens can't be checked at the moment."), 5
            )
        key = self._pick(kid)
        if key is None:
            raise unauthorised("The token's key is not known.")
        return key

    def _pick(self, kid: Any) -> jwt.PyJWK | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid) if isinstance(kid, str) else None

    def _needs_fetching(self, kid: Any) -> bool:
        now = self._clock()
        if now - self._tried_at < AGAIN_S:
            return False
        return now - self._fetched_at > FRESH_S or self._pick(kid) is None

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self._url, allow_redirects=False) as response,
            ):
                response.raise_for_status()
                raw = await response.content.read(MAX_BYTES + 1)
                while len(raw) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
                    raw += more
            self._keys = usable_keys(raw)
            self._fetched_at = self._clock()
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            _log.warning("the keys for tokens could not be fetched: %s", type(exc).__name__)


def usable_keys(raw: bytes) -> dict[str | None, jwt.PyJWK]:
    """RSA and EC keys for signatures, by key id. Raises ValueError if it is no JWKS document."""
    document = orjson.loads(raw) if len(raw) <= MAX_BYTES else None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS document")
    found: dict[str | None, jwt.PyJWK] = {}
    for each in listed:
        if not isinstance(each, dict) or each.get("kty") not in ("RSA", "EC") or each.get("use") == "enc":
            continue
        try:
            key = jwt.PyJWK(each)
        except jwt.PyJWTError:
            continue  # one key that can't be used is no reason to refuse the others
        if key.algorithm_name in PublishedKeys.algorithms:
            found[key.key_id] = key
    return found
