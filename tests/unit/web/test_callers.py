"""Who is let in, and as whom."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from schemas.errors import ErrorCode
from tests.support.web_processes import SECRET, token
from web.callers import Caller, Callers, SharedSecret, tenant_for
from web.failures import Failed

DEVELOPMENT = "a development token"


def callers(**settings: Any) -> Callers:
    """HS256 with the tests' secret."""
    given = {"audience": None, "issuer": None, "development_token": "", "clock": time.time, **settings}
    return Callers(SharedSecret(SECRET), **given)


async def refusal(who: Callers, authorization: str | None) -> tuple[int, ErrorCode]:
    """Status and code for a header that is not taken."""
    with pytest.raises(Failed) as caught:
        await who.caller(authorization)
    assert SECRET not in str(caught.value.error)
    return caught.value.status, caught.value.error.code


def unsigned(**header: Any) -> str:
    """A token of which the issuer knows nothing."""
    parts = (
        {"typ": "JWT", **header},
        {"sub": "x", "tenant_id": "acme", "roles": ["admin"], "exp": 4_000_000_000},
    )
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*texts, ""))


async def test_claims_become_a_caller() -> None:
    """Tenant, user and the roles there are; others count for nothing."""
    given = token("acme", sub="dana", roles=["emperor", "viewer", "manager"])
    assert await callers().caller(f"Bearer {given}") == Caller("acme", "dana", ("manager", "viewer"))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 129},
        {"tenant_id": None},
        {"tenant_id": "no tenant"},
        {"tenant_id": 7},
        {"roles": None},
        {"roles": "admin"},
        {"nbf": int(time.time()) + 600},
        {"key": "another secret of thirty-two bytes"},
        {"alg": "HS512", "key": SECRET * 2},
    ],
)
async def test_token_that_is_not_right_is_refused(claims: dict[str, Any]) -> None:
    """Expired, unsigned by us, or without what must be in it: 401."""
    assert await refusal(callers(), f"Bearer {token(**claims)}") == (401, ErrorCode.AUTH_FAILED)


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "None"}, {}, {"alg": ["HS256"]}, {"alg": "RS256"}]
)
async def test_token_without_a_signature_is_refused(header: dict[str, Any]) -> None:
    """alg=none in every spelling, and algorithms that are not ours."""
    assert await refusal(callers(), f"Bearer {unsigned(**header)}") == (401, ErrorCode.AUTH_FAILED)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b", "Bearer \udcff", "x"]
)
async def test_header_that_is_none_is_refused(header: str | None) -> None:
    """Also bytes that are no text."""
    assert await refusal(callers(), header) == (401, ErrorCode.AUTH_FAILED)


async def test_roles_that_may_do_nothing_are_told_so() -> None:
    """The token is good; its roles are not: 403."""
    assert await refusal(callers(), f"Bearer {token(roles=['guest'])}") == (403, ErrorCode.PERMISSION_DENIED)


@pytest.mark.parametrize(("name", "claim"), [("audience", "aud"), ("issuer", "iss")])
async def test_audience_and_issuer_must_fit_when_they_are_set(name: str, claim: str) -> None:
    """The right one is let in, a wrong or missing one is not."""
    who = callers(**{name: "opsloom"})
    assert (await who.caller(f"Bearer {token(**{claim: 'opsloom'})}")).tenant_id == "acme"
    for wrong in ({claim: "another"}, {}):
        assert await refusal(who, f"Bearer {token(**wrong)}") == (401, ErrorCode.AUTH_FAILED)


async def test_token_known_from_before_is_refused_once_it_has_expired() -> None:
    """What was checked is remembered no longer than it holds."""
    now = time.time()
    clock = [now]
    who = callers(clock=lambda: clock[0])
    given = f"Bearer {token(exp=int(now) - 5)}"  # within the leeway, so it is taken the first time
    assert (await who.caller(given)).user_id == "dana"
    assert not [1 for _, until in who._known.values() if until > now]


async def test_development_token_speaks_for_any_tenant_and_nothing_near_it_does() -> None:
    """Equal means equal."""
    who = callers(development_token=DEVELOPMENT)
    assert await who.caller(f"Bearer {DEVELOPMENT}") == Caller(None, "developer", ("developer",))
    assert (await refusal(who, f"Bearer {DEVELOPMENT}!"))[0] == 401
    assert (await refusal(callers(), f"Bearer {DEVELOPMENT}"))[0] == 401


def test_body_may_repeat_the_tenant_and_not_change_it() -> None:
    """Only the development token leaves it open."""
    dana = Caller("acme", "dana", ("viewer",))
    assert (tenant_for(dana, None), tenant_for(dana, "acme")) == ("acme", "acme")
    with pytest.raises(Failed) as caught:
        tenant_for(dana, "globex")
    assert (caught.value.status, caught.value.error.code) == (403, ErrorCode.TENANT_MISMATCH)
    anybody = Caller(None, "developer", ("developer",))
    assert (tenant_for(anybody, "globex"), tenant_for(anybody, None)) == ("globex", "local")
