"""One written case through the URL guard: the same decisions as a real call, resolver and redirects from the case.

Fields: url, mode, allowlist, dns (host → successive answers, the last repeats), redirects [{from, status, location}],
options (internal: exceptions, hosts or ranges; headers: names or mapping; method; max_redirects).
"""

from collections.abc import Mapping
from typing import Any

from agents.execution.guards.url.addresses import Address, parsed_address
from agents.execution.guards.url.guard import Target, joined, parsed_url, refused
from agents.execution.guards.url.hops import CREDENTIAL_HEADERS, left_behind, next_hop
from agents.execution.guards.url.rules import MAX_REDIRECTS, REDIRECTS, UrlRules, entries_of, exceptions_of
from agents.execution.guards.verdict import Refuse
from schemas.errors import ErrorCode


def judge_url_case(case: object) -> dict[str, Any]:
    """decision (allow or refuse), code, reason, suggestion, dialled (addresses in order), headers_dropped.

    Never raises, whatever the case holds: what cannot be read is refused.
    """
    fields = case if isinstance(case, Mapping) else {}
    walk = _Walk(fields)
    try:
        refusal = walk.refusal()
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        refusal = refused("a case that cannot be read")
    verdict: dict[str, Any] = {"decision": "allow", "code": None, "reason": None, "suggestion": None}
    if refusal is not None:
        why = "; ".join(refusal.violations)
        reason = f"{refusal.reason.rstrip('.')}: {why}." if why else refusal.reason
        verdict = {
            "decision": "refuse",
            "code": refusal.code.value,
            "reason": reason,
            "suggestion": refusal.suggestion,
        }
    return {**verdict, "dialled": walk.dialled, "headers_dropped": list(dict.fromkeys(walk.dropped))}


_EXCEPTIONS = ("internal", "internal_exceptions", "internal_hosts", "allow_internal")


class _Walk:
    def __init__(self, case: Mapping[Any, Any]) -> None:
        self._case = case
        self.dialled: list[str] = []
        self.dropped: list[str] = []
        self._asked: dict[str, int] = {}
        self._led: dict[str, int] = {}

    def refusal(self) -> Refuse | None:
        rules = self._rules()
        if isinstance(rules, Refuse):
            return rules
        target = parsed_url(self._case.get("url"))
        if isinstance(target, Refuse):
            return target
        judged = rules.judge(target)
        if judged is not None:
            return judged
        headers, most, hops = self._headers(), self._most_redirects(), 0
        while True:
            refusal = self._dial(target, rules)
            if refusal is not None:
                return refusal
            redirect = self._redirect(target)
            if redirect is None:
                return None
            if hops >= most:
                return refused(f"more than {most} redirects")
            following = next_hop(target, redirect.get("location"), hops, rules)
            if isinstance(following, Refuse):
                return following
            gone = left_behind(target, following, headers)
            self.dropped += gone
            headers = tuple(name for name in headers if name not in gone)
            target, hops = following, hops + 1

    def _rules(self) -> UrlRules | Refuse:
        mode = self._case.get("mode") or "public"
        options = self._options
        allowlist = self._case.get("allowlist") or ()
        internal = next((options[name] for name in _EXCEPTIONS if options.get(name)), ())
        if mode not in ("public", "allowlist"):
            return refused("a mode that does not exist", "Use public or allowlist.")
        if not isinstance(allowlist, list | tuple) or not isinstance(internal, list | tuple):
            return refused("a list of hosts that is no list")
        return UrlRules(
            "allowlist" if mode == "allowlist" else "public", entries_of(allowlist), exceptions_of(internal)
        )

    @property
    def _options(self) -> Mapping[Any, Any]:
        options = self._case.get("options")
        return options if isinstance(options, Mapping) else {}

    def _headers(self) -> tuple[str, ...]:
        given = self._options.get("headers", self._case.get("headers"))
        if isinstance(given, Mapping | list | tuple):
            return tuple(str(name).lower() for name in given)
        return CREDENTIAL_HEADERS

    def _most_redirects(self) -> int:
        most = self._options.get("max_redirects", MAX_REDIRECTS)
        sound = isinstance(most, int) and not isinstance(most, bool) and most >= 0
        return min(most, MAX_REDIRECTS) if sound else MAX_REDIRECTS

    def _dial(self, target: Target, rules: UrlRules) -> Refuse | None:
        addresses = (target.address,) if target.address is not None else self._resolved(target.host)
        if isinstance(addresses, Refuse):
            return addresses
        refusal = rules.judge_addresses(target, addresses)
        if refusal is None:
            self.dialled.append(str(addresses[0]))
        return refusal

    def _resolved(self, host: str) -> tuple[Address, ...] | Refuse:
        dns = self._case.get("dns")
        answers = _answers(dns, host) if isinstance(dns, Mapping) else None
        if not answers:
            return Refuse(ErrorCode.UPSTREAM_UNAVAILABLE, "The host has no address.")
        turn = self._asked.get(host, 0)
        self._asked[host] = turn + 1
        answer = answers[min(turn, len(answers) - 1)]
        texts = [answer] if isinstance(answer, str) else answer
        if not isinstance(texts, list | tuple) or not texts:
            return Refuse(ErrorCode.UPSTREAM_UNAVAILABLE, "The host has no address.")
        addresses = [parsed_address(text) for text in texts]
        if any(each is None for each in addresses):
            return refused("an answer that is no address")
        return tuple(each for each in addresses if each is not None)

    def _redirect(self, target: Target) -> Mapping[Any, Any] | None:
        redirects = self._case.get("redirects")
        if not isinstance(redirects, list | tuple):
            return None
        leading = [each for each in redirects if isinstance(each, Mapping) and _starts_at(each, target)]
        if not leading:
            return None
        turn = self._led.get(target.url, 0)
        self._led[target.url] = turn + 1
        return leading[min(turn, len(leading) - 1)]


def _answers(dns: Mapping[Any, Any], host: str) -> list[Any] | None:
    for name, answers in dns.items():
        same = isinstance(name, str) and parsed_url(f"http://{name}/")
        if name == host or (isinstance(same, Target) and same.host == host):
            found = answers if isinstance(answers, list) else [answers]
            return [found] if found and all(isinstance(each, str) for each in found) else found
    return None


def _starts_at(redirect: Mapping[Any, Any], target: Target) -> bool:
    status = redirect.get("status", 302)
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if status not in REDIRECTS:
        return False
    start = redirect.get("from")
    if start is None or start in (target.url, target.host):
        return True
    place = parsed_url(start)
    if isinstance(place, Refuse):
        place = joined(target, start)
    return isinstance(place, Target) and place.url == target.url
