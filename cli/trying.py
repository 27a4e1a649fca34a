"""A statement through both walls, as the guarded path sends it: what the guard wrote, asked of a real engine."""

from pathlib import Path
from typing import Any

import orjson

from agents.execution.guards.cases import Line, line_of, refused_line
from agents.execution.guards.sql.guard import SqlGuard
from agents.execution.guards.verdict import Bounds, Refuse
from agents.execution.tools.engines.by_name import make_engine
from agents.execution.tools.engines.engine import Engine, Question
from agents.execution.tools.threads import Stop
from registry.assets import SourceAsset
from schemas.errors import OpsError


class Trial:
    """Asks one store for one tenant."""

    def __init__(self, engine: str, store: Path, tenant: str, catalogue: Bounds, timeout_s: float) -> None:
        self._source = SourceAsset(
            id="trial",
            engine=engine,
            location=str(store),
            tables={name: list(columns) for name, columns in catalogue.tables.items()},
            tenant_column=catalogue.tenant_column,
        )
        self._tenant = tenant
        self._catalogue = catalogue
        self._timeout_s = timeout_s
        self._guard = SqlGuard(engine)
        self._engine: Engine = make_engine(engine)

    def of(self, line: bytes) -> Line:
        """columns, rows and truncated, or the refusal of one of the walls."""
        try:
            case = orjson.loads(line)
        except ValueError:
            return refused_line(None, "The case is not JSON.")
        if not isinstance(case, dict) or not isinstance(case.get("sql"), str):
            return refused_line(None, "The case has no text in sql.")
        identity = case.get("id") if isinstance(case.get("id"), str | int | float) else None
        verdict = self._guard(case["sql"], self._catalogue, {})
        if isinstance(verdict, Refuse):
            return {"id": identity, **line_of(verdict)}
        most = self._catalogue.row_cap
        question = Question(self._source, self._tenant, verdict.statement, {}, most + 1, self._timeout_s)
        found = self._engine.ask(question, Stop())
        if isinstance(found, OpsError):
            return {"id": identity, **_failed(found)}
        return {
            "id": identity,
            **line_of(verdict),
            "columns": list(found.columns),
            "rows": found.rows[:most],
            "truncated": len(found.rows) > most,
        }

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


def _failed(error: OpsError) -> dict[str, Any]:
    public = error.public()
    return {
        "decision": "refuse",
        "code": public.code.value,
        "reason": public.message,
        "suggestion": public.suggestion,
        "violations": [error.detail] if error.detail else [],
    }
