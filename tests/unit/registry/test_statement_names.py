"""Parameter names in statements: strings, comments and casts name nothing."""

import pytest

from registry.statements import names_in_statement


@pytest.mark.parametrize(
    ("statement", "kind", "names"),
    [
        ("SELECT 1", "sql", set()),
        ("SELECT a FROM t WHERE b = :b AND c = :c_1", "sql", {"b", "c_1"}),
        ("SELECT ':no', \"a:no\", `x:no` -- :no\n, /* :no */ a::text FROM t WHERE b=:yes", "sql", {"yes"}),
        ("SELECT 'it''s :no' || :yes", "sql", {"yes"}),
        ("MATCH (a:Label {name: $name})-[:REL]->(b) RETURN a // $no", "graph", {"name"}),
        ("MATCH (a) WHERE a.x = '$no' AND a.y = $yes RETURN a", "graph", {"yes"}),
    ],
)
def test_only_real_parameters_are_found(statement: str, kind: str, names: set[str]) -> None:
    """By the mark of the tool's kind."""
    assert names_in_statement(statement, kind) == names
