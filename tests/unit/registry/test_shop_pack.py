"""The sample pack of one's own: it loads, its statements run on its data, and its questions find their way."""

import importlib.util
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from registry.packs import load_pack
from registry.registry import Registry
from schemas.plans import PlanKind, PlanMade
from schemas.questions import QuestionAsked, User

SHOP = Path(__file__).parents[3] / "examples" / "packs" / "shop"
NOW = 1_795_000_000.0
CUSTOMERS = ("Ada Lovelace", "Grace Hopper", "Linus")


def database(folder: Path) -> Path:
    spec = importlib.util.spec_from_file_location("shop_make_db", SHOP / "make_db.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path: Path = module.make_db(folder, NOW)
    return path


def test_questions_about_the_shop_are_planned_and_their_statements_give_rows(tmp_path: Path) -> None:
    """From words to rows, the executor's guards aside."""
    registry = Registry.of(load_pack(SHOP, {"pack": str(tmp_path)}))
    assert registry.source("shop_orders").location == str(database(tmp_path))
    planning = Planning(registry, [RulesPlanner()], known_values=lambda tenant, template: CUSTOMERS)

    def rows(text: str) -> list[tuple[object, ...]]:
        question = QuestionAsked(
            schema_version=1,
            question_id="q",
            tenant_id="local",
            user=User(id="u", roles=("viewer",)),
            question=text,
            created_at=datetime.fromtimestamp(NOW, UTC),
        )
        plan = planning.decide(question, trace_id="t", now=NOW)
        assert isinstance(plan, PlanMade)
        if plan.kind is not PlanKind.PLAN:
            return []
        call = plan.steps[0].params
        with closing(sqlite3.connect(tmp_path / "orders.db")) as connection:
            return connection.execute(registry.template(call["template"]).statement, call["args"]).fetchall()

    assert [row[0] for row in rows("list all customers")] == ["Ada Lovelace", "Linus", "Grace Hopper"]
    assert [row[0] for row in rows("what did Grace Hopper buy?")] == ["moth trap", "nanosecond wire"]
    assert [row[1] for row in rows("the two largest orders of the last 10 days")] == [
        "brass gears",
        "penguin",
    ]
    assert [row[1] for row in rows("지난 7일 동안 가장 큰 주문 3개")] == [
        "brass gears",
        "penguin",
        "moth trap",
    ]
    assert rows("what did Alan order?") == []
