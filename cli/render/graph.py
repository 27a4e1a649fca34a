"""A graph's links as an indented tree."""

from collections.abc import Sequence
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

from agents.aggregation.clean import line
from cli.render.figures import counted

MAX_LINES: Final = 40
MAX_DEPTH: Final = 8
Link = tuple[str, str, str]


def links_of(rows: Sequence[Sequence[Any]]) -> list[Link]:
    """Rows (from, relation, to) as safe text; shorter rows are no links."""
    return [(line(str(row[0])), line(str(row[1])), line(str(row[2]))) for row in rows if len(row) >= 3]


def graph_tree(rows: Sequence[Sequence[Any]], left_out: int = 0) -> list[Tree | Text]:
    """One tree per root (a node nothing points at; of a pure cycle, its first). A node that was drawn before is
    marked and not drawn again; what does not fit is counted."""
    links = links_of(rows)
    children: dict[str, list[tuple[str, str]]] = {}
    for source, relation, target in links:
        if (relation, target) not in children.setdefault(source, []):
            children[source].append((relation, target))
    pointed_at = {target for _, _, target in links}
    drawing = _Drawing(children)
    trees: list[Tree | Text] = []
    for root in [*[source for source in children if source not in pointed_at], *children]:
        if root not in drawing.seen and drawing.lines < MAX_LINES:
            tree = Tree(Text(root, style="bold"))
            drawing.lines += 1
            drawing.grow(tree, root, 1)
            trees.append(tree)
    missing = sum(len(each) for each in children.values()) - drawing.drawn + left_out
    if missing > 0:
        trees.append(Text(f"… {counted(missing, 'more link')}", style="dim"))
    return trees


class _Drawing:
    """What of the graph is drawn so far."""

    def __init__(self, children: dict[str, list[tuple[str, str]]]) -> None:
        self.children = children
        self.seen: set[str] = set()
        self.lines = 0
        self.drawn = 0

    def grow(self, tree: Tree, node: str, depth: int) -> None:
        self.seen.add(node)
        for relation, target in self.children.get(node, ()):
            if self.lines >= MAX_LINES:
                return
            again = target in self.seen and target in self.children
            label = Text.assemble((f"{relation} ", "dim"), target, (" (above)" if again else "", "dim"))
            branch = tree.add(label)
            self.lines += 1
            self.drawn += 1
            if target not in self.seen and depth < MAX_DEPTH:
                self.grow(branch, target, depth + 1)
