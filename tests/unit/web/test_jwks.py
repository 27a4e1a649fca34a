"""Tokens signed by an issuer whose public keys are fetched."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from schemas.errors import ErrorCode
from tests.support.web_processes import token
from web.callers import Callers
from web.failures import Failed
from web.jwks import AGAIN_S, FRESH_S, STALE_S, PublishedKeys, usable_keys

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def published(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """A public key as a JWKS document has it."""
    maker = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(maker.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


def signed(key: Any, kid: str | None, alg: str, **claims: Any) -> str:
    """A bearer header by that key."""
    made = jwt.decode(token(**claims), options={"verify_signature": False})
    return f"Bearer {jwt.encode(made, key, algorithm=alg, headers={} if kid is None else {'kid': kid})}"


class Issuer:
    """A small server of keys, and the clock that says how old they are."""

    def __init__(self) -> None:
        self.document: Any = {"keys": [published(RSA, "r", alg="RS256"), published(EC, "e", alg="ES256")]}
        self.status = 200
        self.fetched = 0
        self.now = 0.0
        self.url = ""

    async def keys(self, _request: web.Request) -> web.Response:
        self.fetched += 1
        return web.json_response(self.document, status=self.status)

    def callers(self) -> Callers:
        keys = PublishedKeys(self.url, lambda: self.now)
        return Callers(keys, audience=None, issuer=None, development_token="", clock=lambda: 1e12)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """On a free port."""
    found = Issuer()
    app = web.Application()
    app.add_routes([web.get("/keys", found.keys)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    yield found
    await runner.cleanup()


async def refused(who: Callers, header: str) -> ErrorCode:
    with pytest.raises(Failed) as caught:
        await who.caller(header)
    return caught.value.error.code


async def test_rsa_and_ec_tokens_are_taken_and_keys_are_fetched_once(issuer: Issuer) -> None:
    """By key id; everything within five minutes is one request."""
    who = issuer.callers()
    for header in (signed(RSA, "r", "RS256"), signed(EC, "e", "ES256"), signed(RSA, "r", "RS256", sub="b")):
        assert (await who.caller(header)).tenant_id == "acme"
    assert issuer.fetched == 1


async def test_public_key_is_never_a_secret(issuer: Issuer) -> None:
    """A token signed by HS256 with the public key's own text, or with a symmetric key of the document."""
    who = issuer.callers()
    pem = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    unchecked = jwt.api_jws.PyJWS()
    claims = json.dumps({"sub": "x", "tenant_id": "acme", "roles": ["admin"], "exp": int(time.time()) + 60})
    by_text = unchecked.encode(claims.encode(), b"x" * 32 + pem[:0], algorithm="HS256", headers={"kid": "r"})
    assert await refused(who, f"Bearer {by_text}") is ErrorCode.AUTH_FAILED
    assert usable_keys(json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}).encode()) == {}


async def test_key_of_one_kind_does_not_pass_for_the_other(issuer: Issuer) -> None:
    """An EC signature that names the RSA key."""
    assert await refused(issuer.callers(), signed(EC, "r", "ES256")) is ErrorCode.AUTH_FAILED


async def test_unknown_key_makes_them_be_fetched_again_but_not_for_everybody(issuer: Issuer) -> None:
    """A new key is found after ten seconds; strangers cannot make us ask at will."""
    who = issuer.callers()
    assert (await who.caller(signed(RSA, "r", "RS256"))).user_id == "dana"
    issuer.document["keys"].append(published(EC, "new", alg="ES256"))
    for _ in range(5):
        assert await refused(who, signed(EC, "new", "ES256")) is ErrorCode.AUTH_FAILED
    assert issuer.fetched == 1
    issuer.now = AGAIN_S + 1
    assert (await who.caller(signed(EC, "new", "ES256"))).user_id == "dana"
    assert issuer.fetched == 2


async def test_keys_hold_for_an_hour_when_the_issuer_is_away(issuer: Issuer) -> None:
    """Then nothing can be checked, and that is said as such: 503, not 401."""
    who = issuer.callers()
    await who.caller(signed(RSA, "r", "RS256"))
    issuer.status = 500
    issuer.now = FRESH_S + 1
    assert (await who.caller(signed(RSA, "r", "RS256", sub="b"))).user_id == "b"
    issuer.now = STALE_S + 1
    assert await refused(who, signed(RSA, "r", "RS256", sub="c")) is ErrorCode.UPSTREAM_UNAVAILABLE


@pytest.mark.parametrize("document", [[], {}, {"keys": 7}, "x" * 300_000])
async def test_document_that_is_none_gives_no_keys(issuer: Issuer, document: Any) -> None:
    """Neither a crash nor a key."""
    issuer.document = document
    assert await refused(issuer.callers(), signed(RSA, "r", "RS256")) is ErrorCode.UPSTREAM_UNAVAILABLE
