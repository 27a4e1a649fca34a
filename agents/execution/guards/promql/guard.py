"""The PromQL guard: a small strict grammar. Every selector is bound to the tenant, and only the text that is written
anew from what was understood may run. What the grammar does not know is refused.

Grammar: Prometheus's expression language without `@`, `offset` beyond a bound, subqueries beyond a bound, and with a
list of functions that read samples and nothing else.
"""

import re

from agents.execution.guards.promql.tokens import NotPromQL, Token, tokens_of
from agents.execution.guards.verdict import Allow, Refuse, Verdict
from schemas.errors import ErrorCode

DEEPEST = 24
MOST_SELECTORS = 20
LONGEST_WINDOW_S = 31 * 86_400

FUNCTIONS = frozenset({
    "abs", "absent", "absent_over_time", "avg_over_time", "ceil", "changes", "clamp", "clamp_max",
    "clamp_min", "count_over_time", "day_of_month", "day_of_week", "day_of_year", "days_in_month",
    "delta", "deriv", "exp", "floor", "histogram_quantile", "holt_winters", "hour", "idelta",
    "increase", "irate", "label_replace", "last_over_time", "ln", "log10", "log2", "max_over_time",
    "min_over_time", "minute", "month", "pi", "predict_linear", "present_over_time",
    "quantile_over_time", "rate", "resets", "round", "scalar", "sgn", "sort", "sort_desc", "sqrt",
    "stddev_over_time", "stdvar_over_time", "sum_over_time", "time", "timestamp", "vector", "year",
})  # fmt: skip
AGGREGATIONS = frozenset(
    (
        "avg",
        "bottomk",
        "count",
        "count_values",
        "group",
        "max",
        "min",
        "quantile",
        "stddev",
        "stdvar",
        "sum",
        "topk",
    )
)
_WITH_PARAMETER = frozenset(("bottomk", "count_values", "quantile", "topk"))
_SETS = frozenset(("and", "or", "unless", "atan2"))
_BINARY = frozenset(("+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<="))
_COMPARISONS = frozenset(("==", "!=", ">", "<", ">=", "<="))
_MATCHERS = frozenset(("=", "!=", "=~", "!~"))
_KEYWORDS = (
    _SETS | AGGREGATIONS | {"by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
)
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_PART = re.compile(r"([0-9]+)(ms|[smhdwy])")
_PLAIN_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_REGEX = 500


def bound_query(query: str, label: str, tenant_id: str | None) -> str:
    """The query written anew with `label="tenant_id"` on every selector; None binds nothing.

    Raises `NotPromQL`.
    """
    return _Reader(tokens_of(query), label, tenant_id).read()


def promql_guard(label: str, tenant_id: str | None, statement: str) -> Verdict:
    """The verdict on one query. Never raises."""
    try:
        return Allow(bound_query(statement, label, tenant_id))
    except NotPromQL as error:
        return Refuse(
            ErrorCode.POLICY_DENY,
            "The query is not allowed.",
            "Ask with selectors, ranges and the usual functions.",
            (str(error),),
        )


def seconds_of(duration: str) -> float:
    """A duration such as `1h30m` in seconds."""
    return sum(int(number) * _UNITS_S[unit] for number, unit in _PART.findall(duration))


class _Reader:
    """Recursive descent; each method returns the text of what it read, written anew."""

    def __init__(self, tokens: list[Token], label: str, tenant_id: str | None) -> None:
        self._tokens = tokens
        self._at = 0
        self._label = label
        self._tenant_id = tenant_id
        self._selectors = 0

    def read(self) -> str:
        text = self._expression(0)
        if self._at < len(self._tokens):
            raise NotPromQL(f"{self._peek().text[:40]} after the end of the query")
        if not self._selectors and self._tenant_id is not None and len(self._tokens) > 200:
            raise NotPromQL("a long query that selects nothing")
        return text

    def _expression(self, depth: int) -> str:
        if depth > DEEPEST:
            raise NotPromQL("nested too deep")
        parts = [self._unary(depth)]
        while (operator := self._peek()) is not _END and self._is_operator(operator):
            self._next()
            parts.append(operator.text)
            if operator.text in _COMPARISONS and self._take("bool"):
                parts.append("bool")
            parts += self._matching()
            parts.append(self._unary(depth))
        return " ".join(parts)

    def _is_operator(self, token: Token) -> bool:
        return token.text in (_BINARY if token.kind == "operator" else _SETS if token.kind == "name" else ())

    def _matching(self) -> list[str]:
        parts = []
        if self._peek().kind == "name" and self._peek().text in ("on", "ignoring"):
            parts.append(f"{self._next().text} {self._labels()}")
            if self._peek().kind == "name" and self._peek().text in ("group_left", "group_right"):
                word = self._next().text
                parts.append(f"{word} {self._labels()}" if self._peek().text == "(" else word)
        return parts

    def _unary(self, depth: int) -> str:
        sign = ""
        while self._peek().kind == "operator" and self._peek().text in ("+", "-"):
            if len(sign) > 2:
                raise NotPromQL("a row of signs")
            sign += self._next().text
        return sign + self._ranged(self._primary(depth + 1))

    def _primary(self, depth: int) -> str:
        token = self._next()
        if token.kind in ("number", "text"):
            return token.text
        if token.text == "(" and token.kind == "mark":
            inner = self._expression(depth)
            self._expect(")")
            return f"({inner})"
        if token.text == "{" and token.kind == "mark":
            return self._selector("")
        if token.kind != "name":
            raise NotPromQL(f"{token.text[:40]!r} where a value should stand")
        lower = token.text.lower()
        if lower in ("inf", "nan"):
            return token.text
        if lower in AGGREGATIONS and self._peek().text in ("(", "by", "without"):
            return self._aggregation(lower, depth)
        if self._peek().text == "(" and self._peek().kind == "mark":
            return self._function(token.text, depth)
        if lower in _KEYWORDS:
            raise NotPromQL(f"the word {token.text} in place of a metric")
        return self._selector(token.text)

    def _aggregation(self, name: str, depth: int) -> str:
        grouping = self._grouping()
        self._expect("(")
        arguments = self._arguments(depth)
        if len(arguments) != (2 if name in _WITH_PARAMETER else 1):
            raise NotPromQL(f"{name} with {len(arguments)} arguments")
        if not grouping:
            grouping = self._grouping()
        # count_values writes a label of the caller's choice; the tenant's must not be made up.
        if name == "count_values" and _may_name(arguments[0], self._label):
            raise NotPromQL("a tenant label that is made up")
        return f"{name}{' ' + grouping if grouping else ''}({', '.join(arguments)})"

    def _grouping(self) -> str:
        if self._peek().kind == "name" and self._peek().text.lower() in ("by", "without"):
            return f"{self._next().text.lower()} {self._labels()}"
        return ""

    def _function(self, name: str, depth: int) -> str:
        if name not in FUNCTIONS:
            raise NotPromQL(f"the function {name[:60]} is not on the list")
        self._expect("(")
        arguments = self._arguments(depth)
        if name == "label_replace" and (len(arguments) != 5 or _may_name(arguments[1], self._label)):
            raise NotPromQL("a tenant label that is made up")
        return f"{name}({', '.join(arguments)})"

    def _arguments(self, depth: int) -> list[str]:
        """Up to and with the closing parenthesis."""
        arguments: list[str] = []
        if self._take(")"):
            return arguments
        while True:
            arguments.append(self._expression(depth))
            if self._take(")"):
                return arguments
            self._expect(",")

    def _labels(self) -> str:
        self._expect("(")
        names: list[str] = []
        while not self._take(")"):
            token = self._next()
            if token.kind != "name" or not _PLAIN_LABEL.fullmatch(token.text):
                raise NotPromQL("a label that is no name")
            names.append(token.text)
            if not self._take(","):
                self._expect(")")
                break
        return f"({', '.join(names)})"

    def _selector(self, metric: str) -> str:
        self._selectors += 1
        if self._selectors > MOST_SELECTORS:
            raise NotPromQL("more selectors than allowed")
        matchers: list[str] = []
        if not metric or self._take("{"):
            while not self._take("}"):
                matchers.append(self._matcher())
                if not self._take(","):
                    self._expect("}")
                    break
        if self._tenant_id is not None:
            matchers.append(f"{self._label}={quoted(self._tenant_id)}")
        return f"{metric}{{{', '.join(matchers)}}}"

    def _matcher(self) -> str:
        name, operator, value = self._next(), self._next(), self._next()
        if name.kind != "name" or not _PLAIN_LABEL.fullmatch(name.text):
            raise NotPromQL("a matcher without a label")
        if operator.text not in _MATCHERS or value.kind != "text":
            raise NotPromQL("a matcher that is none")
        if name.text == self._label and self._tenant_id is not None:
            raise NotPromQL("a matcher on the tenant label")
        if len(value.text) > _LONGEST_REGEX:
            raise NotPromQL("a matcher that is too long")
        return f"{name.text}{operator.text}{value.text}"

    def _ranged(self, inner: str) -> str:
        """A range, a subquery and an offset behind a value, each bounded."""
        text = inner
        if self._take("["):
            window = self._duration()
            step = ""
            if self._take(":"):
                step = ":" + ("" if self._peek().text == "]" else self._duration())
            self._expect("]")
            text += f"[{window}{step}]"
        if self._take("offset"):
            sign = "-" if self._take("-") else ""
            text += f" offset {sign}{self._duration()}"
        return text

    def _duration(self) -> str:
        token = self._next()
        if token.kind != "duration" or not 0 < seconds_of(token.text) <= LONGEST_WINDOW_S:
            raise NotPromQL("a duration that is none, or too long")
        return token.text

    def _peek(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _next(self) -> Token:
        token = self._peek()
        if token is _END:
            raise NotPromQL("a query that ends too soon")
        self._at += 1
        return token

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token.kind != "text" and token.text == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise NotPromQL(f"{text} is missing")


def _may_name(argument: str, label: str) -> bool:
    return label in argument or "\\" in argument or argument[:1] not in "\"'"


_END = Token("end", "")


def quoted(value: str) -> str:
    """A text in PromQL's double quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
