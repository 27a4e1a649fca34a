"""The hops of one call: what may go along when a redirect leads elsewhere."""

from collections.abc import Iterable

from agents.execution.guards.url.guard import Target, joined, refused
from agents.execution.guards.url.rules import MAX_REDIRECTS, UrlRules
from agents.execution.guards.verdict import Refuse

CREDENTIAL_HEADERS = ("authorization", "cookie", "proxy-authorization")
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
"""All that crosses to another origin. A name of its own may hold a key, so what is not listed stays behind."""


def next_hop(current: Target, location: object, hops: int, rules: UrlRules) -> Target | Refuse:
    """Where a redirect leads after `hops` redirects were followed, if it may be followed."""
    if hops >= MAX_REDIRECTS:
        return refused(f"more than {MAX_REDIRECTS} redirects")
    target = joined(current, location)
    if isinstance(target, Refuse):
        return target
    return rules.judge(target) or target


def left_behind(before: Target, after: Target, names: Iterable[str]) -> tuple[str, ...]:
    """Names of the headers that do not go along from one target to the next, lower-case."""
    if before.origin == after.origin:
        return ()
    return tuple(name.lower() for name in names if name.lower() not in _HARMLESS)


def method_after(status: int, method: str) -> str:
    """303 turns everything into GET, 301 and 302 turn POST into GET (RFC 9110, 15.4)."""
    if status == 303 and method != "HEAD":
        return "GET"
    return "GET" if status in (301, 302) and method == "POST" else method
