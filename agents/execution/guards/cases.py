"""The policy simulator: written cases through the guards as they stand in the path, one verdict a case.

A case is whatever a line of a file holds. It always gets a verdict: what cannot be read is refused, with the reason.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson

from agents.execution.guards.verdict import Allow, Bounds, Refuse, Verdict
from schemas.errors import ErrorCode

KINDS = ("sql", "url", "cypher", "operators", "secrets")
_MOST_BYTES = 1_000_000
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""As schemas.ids.TenantId."""

Case = Mapping[str, Any]
Line = dict[str, Any]


def judge_line(kind: str, line: bytes | str, catalogue: Bounds | None) -> Line:
    """One line of a file of cases, judged. Never raises for anything a line can hold."""
    if len(line) > _MOST_BYTES:
        return refused_line(None, f"The case is longer than {_MOST_BYTES} bytes.")
    try:
        case = orjson.loads(line)
    except ValueError:
        return refused_line(None, "The case is not JSON.")
    if not isinstance(case, dict):
        return refused_line(None, "The case is no JSON object.")
    return judge_case(kind, case, catalogue)


def judge_case(kind: str, case: Case, catalogue: Bounds | None) -> Line:
    """One case: id, decision (allow or refuse), code, reason, suggestion, and what its kind adds."""
    identity = case.get("id")
    identity = identity if isinstance(identity, str | int | float) else None
    judge = _JUDGES.get(kind)
    if judge is None:
        return refused_line(identity, "There is no such kind of case.", f"Kinds are {', '.join(KINDS)}.")
    try:
        return {"id": identity, **judge(case, catalogue)}
    except Exception as error:  # noqa: BLE001  # border: a case must not end the run, whatever it found
        return {**refused_line(identity, "The case cannot be judged."), "violations": [type(error).__name__]}


def refused_line(identity: Any, reason: str, suggestion: str | None = None) -> Line:
    """The verdict on a case that cannot be read."""
    refusal = Refuse(ErrorCode.INVALID_PARAMS, reason, suggestion)
    return {"id": identity, **line_of(refusal)}


def line_of(verdict: Verdict, **more: Any) -> Line:
    """A verdict as fields of a line."""
    if isinstance(verdict, Allow):
        return {"decision": "allow", "code": None, "reason": None, "suggestion": None, **more}
    return {
        "decision": "refuse",
        "code": verdict.code.value,
        "reason": verdict.reason,
        "suggestion": verdict.suggestion,
        "violations": list(verdict.violations),
    }


def _sql(case: Case, catalogue: Bounds | None) -> Line:
    guard = _sql_guard(case.get("dialect"))
    if isinstance(guard, Refuse):
        return line_of(guard)
    refused = _no_catalogue(catalogue) or _no_text(case, "sql")
    if refused is not None or catalogue is None:
        return line_of(refused or _unfit("There is no catalogue."))
    tenant = case.get("tenant")
    if catalogue.tenant_column is not None and not _is_tenant(tenant):
        return line_of(
            _unfit("The case names no tenant.", "A tenant is a name of letters, digits, . _ and -.")
        )
    verdict = guard.judge(case["sql"], catalogue, {}, tenant if isinstance(tenant, str) else None)
    return line_of(verdict, sql=verdict.statement) if isinstance(verdict, Allow) else line_of(verdict)


def _cypher(case: Case, catalogue: Bounds | None) -> Line:
    from agents.execution.guards.cypher import guard as cypher

    refused = _no_catalogue(catalogue) or _no_text(case, "cypher")
    if refused is not None or catalogue is None:
        return line_of(refused or _unfit("There is no catalogue."))
    tenant = case.get("tenant")
    if catalogue.tenant_column is not None and not _is_tenant(tenant):
        return line_of(_unfit("The case names no tenant."))
    verdict = cypher.cypher_guard(case["cypher"], catalogue, {}, tenant if isinstance(tenant, str) else None)
    return line_of(verdict, cypher=verdict.statement) if isinstance(verdict, Allow) else line_of(verdict)


def _operators(case: Case, catalogue: Bounds | None) -> Line:
    if case.get("kind") == "filter":
        return _filter(case.get("filter"), catalogue)
    if case.get("kind") != "sql":
        return line_of(_unfit("The case's kind is neither sql nor filter."))
    guard = _sql_guard(case.get("dialect"))
    tenant_column = catalogue.tenant_column if catalogue is not None else "tenant_id"
    refused = (
        guard
        if isinstance(guard, Refuse)
        else _no_text(case, "sql") or guard.harmless(case["sql"], tenant_column)
    )
    return line_of(refused or Allow())


def _filter(filter_: Any, catalogue: Bounds | None) -> Line:
    from agents.execution.guards.operators import operator_guard

    verdict = operator_guard(filter_)
    if isinstance(verdict, Allow) and catalogue is not None:
        field = filter_["field"].rpartition(".")[2].lower()
        if not any(field in map(str.lower, columns) for columns in catalogue.tables.values()):
            verdict = Refuse(ErrorCode.INVALID_PARAMS, "The filter names something that is not available.")
    return line_of(verdict)


def _url(case: Case, _: Bounds | None) -> Line:
    from agents.execution.guards.url.cases import judge_url_case

    return judge_url_case(case)


def _secrets(case: Case, _: Bounds | None) -> Line:
    from agents.execution.guards.secrets import judge_secrets_case

    return judge_secrets_case(case)


_JUDGES: Mapping[str, Callable[[Case, Bounds | None], Line]] = {
    "sql": _sql,
    "url": _url,
    "cypher": _cypher,
    "operators": _operators,
    "secrets": _secrets,
}


@cache
def _guard_of(dialect: str) -> Any:
    from agents.execution.guards.sql.guard import SqlGuard

    return SqlGuard(dialect)


def _sql_guard(dialect: Any) -> Any:
    from agents.execution.guards.sql.guard import DIALECTS

    if dialect not in DIALECTS:
        return _unfit("The case's dialect is not known.", f"Dialects are {', '.join(DIALECTS)}.")
    return _guard_of(dialect)


def _no_text(case: Case, field: str) -> Refuse | None:
    return None if isinstance(case.get(field), str) else _unfit(f"The case has no text in {field}.")


def _no_catalogue(catalogue: Bounds | None) -> Refuse | None:
    if catalogue is not None:
        return None
    return _unfit("There is no catalogue, so nothing may be asked.", "Name one: --catalog FILE.")


def _is_tenant(tenant: Any) -> bool:
    return isinstance(tenant, str) and _TENANT.fullmatch(tenant) is not None


def _unfit(reason: str, suggestion: str | None = None) -> Refuse:
    return Refuse(ErrorCode.INVALID_PARAMS, reason, suggestion)
