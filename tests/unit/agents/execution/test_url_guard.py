"""The URL guard: the corpus, and what holds for every address and every text."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.guards.url.addresses import Reach, reach_of
from agents.execution.guards.url.cases import judge_url_case
from agents.execution.guards.url.guard import Target, parsed_url
from agents.execution.guards.url.rules import UrlRules, entries_of
from agents.execution.guards.verdict import Refuse

CORPUS = Path(__file__).parents[3] / "corpus" / "url" / "cases.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.read_text().splitlines()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("url", "mode", "allowlist", "dns", "redirects", "options")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case_of_the_corpus(case: dict[str, Any]) -> None:
    """Decision, addresses dialled and headers left behind are as the case expects."""
    verdict = judge_url_case(case)

    assert verdict["decision"] == case["expect"], verdict
    for name in ("dialled", "headers_dropped"):
        assert name not in case or verdict[name] == case[name]


def test_the_corpus_is_large_enough() -> None:
    assert sum(case["expect"] == "refuse" for case in CASES) >= 200


@given(st.ip_addresses(v=4))
def test_no_spelling_of_an_ipv4_address_says_more_than_its_plain_one(address: IPv4Address) -> None:
    number, parts = int(address), str(address).split(".")
    spellings = [
        str(number),
        hex(number),
        oct(number).replace("0o", "0"),
        ".".join(hex(int(part)) for part in parts),
        ".".join(f"0{int(part):o}" for part in parts),
        f"{parts[0]}.{int(address) & 0xFFFFFF}",
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::]",
        f"{address}.",
    ]

    assert {judge_url_case({"url": f"http://{each}/"})["decision"] for each in spellings} == {"refuse"}


@given(st.ip_addresses(v=6))
def test_ipv6_is_public_only_inside_global_unicast(address: IPv6Address) -> None:
    if reach_of(address) is Reach.PUBLIC:
        assert int(address) >> 125 == 1
        assert address.is_global


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_never_public(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert reach_of(address) is not Reach.PUBLIC


@given(st.text() | st.from_regex(r"https?://[^/]{1,20}(/.*)?"))
def test_an_address_that_is_allowed_reads_the_same_again(text: str) -> None:
    """What is dialled is what was judged: written anew, it has the same parts."""
    target = parsed_url(text)
    if isinstance(target, Target):
        assert target.url.isascii()
        assert parsed_url(target.url) == target


@given(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON)
def test_whatever_a_case_holds_it_gets_a_verdict(case: Any) -> None:
    assert judge_url_case(case)["decision"] in ("allow", "refuse")


@given(st.ip_addresses(), st.lists(st.ip_addresses(), max_size=3))
def test_one_bad_address_spoils_the_answer(bad: Any, others: list[Any]) -> None:
    rules, target = UrlRules(), Target("https", "h.example.com", 443, "/", "")
    if reach_of(bad) is not Reach.PUBLIC:
        assert isinstance(rules.judge_addresses(target, [*others, bad]), Refuse)


@given(st.ip_addresses())
def test_no_list_opens_metadata_or_link_local(address: Any) -> None:
    if reach_of(address) is Reach.NEVER:
        rules = UrlRules("allowlist", entries_of([str(address), "0.0.0.0/0", "::/0"]))
        assert isinstance(
            rules.judge_addresses(Target("http", str(address), 80, "/", "", address), [address]), Refuse
        )
        assert not rules.may_dial(address)
