"""Loading a pack: what is right loads; what is wrong is refused with the file, the reason and a hint."""

from pathlib import Path

import pytest

from registry.packs import PackError, load_pack

MANIFEST = "id: shop\ntitle: Shop\ntenants: [local]\n"
SOURCE = 'id: store\nengine: sqlite\nlocation: "{data}/shop.db"\ntables: {orders: [id, customer]}\n'
TOOL = "id: query\nname: Query\ntool_type: direct_query\nkind: sql\nsource: store\n"
TEMPLATE = """
- id: customers
  title: Customers
  tool: query
  mode: config
  examples: [which customers are there]
  statement: SELECT customer FROM orders
- id: orders_of
  title: Orders
  tool: query
  mode: history
  examples: [what did Ada order]
  parameters:
    customer: {type: string, resolver: entity, values_from: customers}
    when: {type: time_range, resolver: time_range, default: last 7 days}
  statement: SELECT id FROM orders WHERE customer = :customer AND at >= :when_from AND at < :when_to
"""
COMBO = "id: both\ntitle: Both\nexamples: [everything]\ntemplates: [customers, orders_of]\n"
FILES = {
    "pack.yaml": MANIFEST,
    "sources/store.yaml": SOURCE,
    "tools/query.yaml": TOOL,
    "templates/orders.yaml": TEMPLATE,
    "combos/both.yaml": COMBO,
}


def write(folder: Path, changes: dict[str, str]) -> Path:
    for name, text in {**FILES, **changes}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_pack_loads_with_defaults_tenants_and_variables_filled_in(tmp_path: Path) -> None:
    """The tool gets its type's row and the pack's tenants; the source its location."""
    pack = load_pack(write(tmp_path, {}), {"data": "/srv/data"})

    assert (pack.id, pack.tenants, pack.language) == ("shop", ("local",), ("en",))
    assert pack.sources[0].location == "/srv/data/shop.db"
    tool = pack.tools[0]
    assert (tool.max_concurrent_calls, tool.rate_limit_per_minute, tool.timeout_seconds) == (20, 120, 30.0)
    assert tool.supported_tenants == ("local",)
    assert [template.id for template in pack.templates] == ["customers", "orders_of"]
    assert [combo.id for combo in pack.combos] == ["both"]


@pytest.mark.parametrize(
    ("changes", "file", "said"),
    [
        ({"tools/query.yaml": TOOL + "colour: red\n"}, "query.yaml", "unknown field colour of query"),
        ({"tools/query.yaml": TOOL.replace("name: Query\n", "")}, "query.yaml", "field name of query is missing"),
        ({"tools/query.yaml": TOOL.replace("kind: sql", "kind: sq")}, "query.yaml", "kind of query is wrong"),
        ({"tools/query.yaml": TOOL + "name: Again\n"}, "query.yaml", "the key name is written twice (line 6)"),
        ({"tools/query.yaml": TOOL.replace("source: store", "source: stor")}, "query.yaml", "Did you mean store?"),
        ({"tools/query.yaml": TOOL + "fallback_tool_id: query\n"}, "query.yaml", "falls back to itself"),
        ({"tools/query.yaml": TOOL + "depends_on: [query]\n"}, "query.yaml", "query → query"),
        ({"tools/query.yaml": TOOL + "supported_tenants: [other]\n"}, "query.yaml", "serves other"),
        ({"tools/other.yaml": TOOL}, "query.yaml", "the id query is taken in other.yaml"),
        ({"tools/query.yaml": "[1, 2]\n"}, "query.yaml", "expected a mapping"),
        ({"tools/query.yaml": "id: [\n"}, "query.yaml", "not valid YAML in line"),
        ({"tools/query.yaml": "a: &a {b: c}\nd: *a\n"}, "query.yaml", "an alias in line 2"),
        ({"tools/query.yaml": TOOL.replace("id: query", "id: Query One")}, "query.yaml", "id of Query One is wrong"),
        ({"sources/store.yaml": SOURCE.replace("{data}", "{datum}")}, "store.yaml", "{datum}, which nobody gave"),
        ({"templates/orders.yaml": TEMPLATE.replace("tool: query", "tool: qury")}, "orders.yaml", "unknown tool qury"),
        ({"templates/orders.yaml": TEMPLATE.replace(":customer", ":client")}, "orders.yaml", "uses :client in its"),
        ({"templates/orders.yaml": TEMPLATE.replace(":when_from", ":when")}, "orders.yaml", "used as :when_from and"),
        ({"templates/orders.yaml": TEMPLATE.replace("customer = :customer AND ", "")}, "orders.yaml", "does not use"),
        ({"templates/orders.yaml": TEMPLATE.replace("from: customers", "from: people")}, "orders.yaml", "unknown t"),
        ({"templates/orders.yaml": TEMPLATE.replace("from: customers", "from: orders_of")}, "orders.yaml", "itself"),
        ({"templates/orders.yaml": TEMPLATE + "  render: {text: '{id|metres}'}\n"}, "orders.yaml", "unit metres"),
        ({"templates/orders.yaml": TEMPLATE.replace("  statement: SELECT customer FROM orders\n", "")},
         "orders.yaml", "has no statement"),
        ({"combos/both.yaml": COMBO.replace("orders_of", "orders_off")}, "both.yaml", "Did you mean orders_of?"),
        ({"combos/both.yaml": COMBO.replace("[customers, orders_of]", "[customers, customers]")},
         "both.yaml", "names a template twice"),
        ({"policies/a.yaml": "- &x {id: a}\n"}, "a.yaml", "is missing"),
        ({"pack.yaml": "title: Shop\n"}, "pack.yaml", "field id is missing"),
        ({"pack.yaml": MANIFEST + "author: me\n"}, "pack.yaml", "unknown field author of shop"),
        ({"more.yaml": "id: x\n"}, "more.yaml", "not read here"),
        ({"template/x.yaml": "id: x\n"}, "template", "Did you mean templates/?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_naming_the_file(
    tmp_path: Path, changes: dict[str, str], file: str, said: str
) -> None:
    """Each error is one a pack's author can act on."""
    with pytest.raises(PackError) as caught:
        load_pack(write(tmp_path, changes), {"data": "/srv"})

    assert caught.value.path.name == file
    assert said in str(caught.value)
    assert caught.value.hint


def test_a_folder_that_is_no_pack_is_refused_in_words(tmp_path: Path) -> None:
    """No folder, and a folder without pack.yaml."""
    with pytest.raises(PackError, match=r"there is no such folder"):
        load_pack(tmp_path / "nothing", {})
    with pytest.raises(PackError, match=r"there is no pack\.yaml"):
        load_pack(tmp_path, {})


def test_two_policies_of_one_set_are_refused(tmp_path: Path) -> None:
    """Which of them would hold must not be a matter of file names."""
    one = "id: {}\npolicy_set: SQL\ntimeout_s: 5\nretries: 0\ncalls_per_minute: 1\ncalls_per_second: 1\nmax_rows: 1\n"
    folder = write(tmp_path, {"policies/a.yaml": one.format("a"), "policies/b.yaml": one.format("b")})

    with pytest.raises(PackError, match="b is a second policy of the set SQL beside a"):
        load_pack(folder, {"data": "/srv"})
