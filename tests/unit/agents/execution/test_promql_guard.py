"""The PromQL guard: every selector bound, everything else written anew or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.guards.promql.guard import bound_query, promql_guard
from agents.execution.guards.promql.tokens import NotPromQL
from agents.execution.guards.verdict import Allow, Refuse

BOUND = 'tenant_id="acme"'


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("up", f"up{{{BOUND}}}"),
        ('up{job="x"}[5m]', f'up{{job="x", {BOUND}}}[5m]'),
        ('{__name__=~".+"}', f'{{__name__=~".+", {BOUND}}}'),
        ("sum(rate(a[5m])) by (le)", f"sum by (le)(rate(a{{{BOUND}}}[5m]))"),
        ("a / on (x) group_left b", f"a{{{BOUND}}} / on (x) group_left b{{{BOUND}}}"),
        ("topk(3, max_over_time(a[1h:5m]))", f"topk(3, max_over_time(a{{{BOUND}}}[1h:5m]))"),
        ("a offset 1d > bool 2", f"a{{{BOUND}}} offset 1d > bool 2"),
        ("-a ^ 2 unless b", f"-a{{{BOUND}}} ^ 2 unless b{{{BOUND}}}"),
        ('a{x="}"} or b', f'a{{x="}}", {BOUND}}} or b{{{BOUND}}}'),
        ("histogram_quantile(0.9, a)", f"histogram_quantile(0.9, a{{{BOUND}}})"),
    ],
)
def test_each_selector_is_bound(query: str, written: str) -> None:
    assert bound_query(query, "tenant_id", "acme") == written


@pytest.mark.parametrize(
    "query",
    [
        "",
        'a{tenant_id="globex"}',
        'a{tenant_id=~".*"}',
        'a{tenant_id!="acme"}',
        'a{"tenant_id"="globex"}',
        '{"a"}',
        "`a`",
        "a # comment",
        "a @ 1",
        "a} or b{",
        "a[5m",
        "a[500d]",
        "a offset 9000d",
        "info(a)",
        "sum",
        "on{}",
        'label_replace(a, "tenant_id", "x", "y", "z")',
        'label_replace(a, "tenant\\x5fid", "x", "y", "z")',
        'count_values("tenant_id", a)',
        "(" * 40 + "a" + ")" * 40,
        "a;b",
        "аbc",
        " + ".join(["a"] * 30),
        "a" * 5_000,
    ],
)
def test_what_cannot_be_bound_is_refused(query: str) -> None:
    verdict = promql_guard("tenant_id", "acme", query)

    assert isinstance(verdict, Refuse)
    assert verdict.violations


def test_a_tenant_with_quotes_stays_a_text() -> None:
    assert bound_query("a", "t", 'x"} or b{"') == 'a{t="x\\"} or b{\\""}'


@given(
    st.text()
    | st.from_regex(r"[a-c]{1,3}(\{[a-z]=\"[^\"\\\n]*\"\})?(\[5m\])?( [-+*/] [a-c])?", fullmatch=True)
)
def test_what_is_allowed_reads_the_same_again(query: str) -> None:
    """Bound once, the text is a query whose own binding is refused: nothing in it was left unread."""
    verdict = promql_guard("tenant_id", "acme", query)
    if isinstance(verdict, Allow):
        assert bound_query(verdict.statement, "other", None) == verdict.statement
        if BOUND in verdict.statement:
            with pytest.raises(NotPromQL):
                bound_query(verdict.statement, "tenant_id", "globex")
