"""Draw which package of `text_recognizer` imports which, as an SVG picture.

    python docs/import_graph.py docs/images/imports.svg
    python docs/import_graph.py before.svg --source OLD_CLONE/src     # any other version of the code

A box is a package or a module at the top of `text_recognizer`, with its lines of code. A row only imports from the rows
below it. Packages that import each other, directly or in a circle, share a row, and their imports are red.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import grimp
import networkx as nx

ROOT = "text_recognizer"
WIDTH, ROW, BOX, MARGIN = 1180, 92, 40, 24
STYLE = """
svg { font: 13px system-ui, sans-serif; background: #fff; }
rect { fill: #eef3f8; stroke: #51708d; }
line { stroke: #9fb2c4; }
line.circle { stroke: #c0392b; stroke-width: 1.6; }
text { text-anchor: middle; fill: #1d2733; }
text.lines { fill: #62748a; font-size: 11px; }
"""


@dataclass(frozen=True)
class Place:
    """The centre of a box, in pixels."""

    x: float
    y: float
    width: float


def package_graph(source: Path) -> nx.DiGraph:
    """Return the imports between the packages at the top of the package in `source`; nodes carry their `lines`."""
    sys.path.insert(0, str(source))
    imports = grimp.build_graph(ROOT, exclude_type_checking_imports=True, cache_dir=None)
    graph = nx.DiGraph()
    for module in sorted(imports.modules - {ROOT}):
        top = module.split(".")[1]
        if top.startswith("__"):
            continue
        graph.add_node(top)
        graph.nodes[top]["lines"] = graph.nodes[top].get("lines", 0) + _lines(source, module)
        for imported in imports.find_modules_directly_imported_by(module):
            other = imported.split(".")[1] if "." in imported else top
            if other != top and not other.startswith("__"):
                graph.add_edge(top, other)
    return graph


def _lines(source: Path, module: str) -> int:
    path = source.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return len(file.read_text(encoding="utf-8").splitlines())


def rows(graph: nx.DiGraph) -> list[list[str]]:
    """Return the packages row by row, the top first: a row is above all that it imports."""
    circles = nx.condensation(graph)
    height: dict[int, int] = {}
    for node in reversed(list(nx.topological_sort(circles))):
        height[node] = 1 + max((height[below] for below in circles.successors(node)), default=-1)
    found: list[list[str]] = [[] for _ in range(max(height.values(), default=-1) + 1)]
    for node, level in height.items():
        found[level] += circles.nodes[node]["members"]
    return [sorted(row) for row in reversed(found)]


def draw(graph: nx.DiGraph) -> str:
    """Return the picture as SVG."""
    levels = rows(graph)
    places: dict[str, Place] = {}
    for level, names in enumerate(levels):
        step = (WIDTH - 2 * MARGIN) / len(names)
        for index, name in enumerate(names):
            width = min(step - 10, 130)
            places[name] = Place(MARGIN + step * (index + 0.5), MARGIN + BOX / 2 + ROW * level, width)
    circle = {node for part in nx.strongly_connected_components(graph) if len(part) > 1 for node in part}
    parts = [_edge(places[a], places[b], a in circle and b in circle) for a, b in sorted(graph.edges)]
    parts += [_box(name, graph.nodes[name]["lines"], place) for name, place in places.items()]
    height = 2 * MARGIN + BOX + ROW * (len(levels) - 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _edge(start: Place, end: Place, circle: bool) -> str:
    kind = ' class="circle"' if circle else ""
    return f'<line{kind} x1="{start.x:.0f}" y1="{start.y + BOX / 2:.0f}" x2="{end.x:.0f}" y2="{end.y - BOX / 2:.0f}"/>'


def _box(name: str, lines: int, place: Place) -> str:
    left, top = place.x - place.width / 2, place.y - BOX / 2
    return (
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{place.width:.0f}" height="{BOX}" rx="5"/>'
        f'<text x="{place.x:.0f}" y="{place.y - 2:.0f}">{name}</text>'
        f'<text class="lines" x="{place.x:.0f}" y="{place.y + 13:.0f}">{lines} lines</text>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path, help="the SVG file to write")
    parser.add_argument("--source", type=Path, default=Path(__file__).parents[1] / "src", help="default: this clone's")
    options = parser.parse_args()
    graph = package_graph(options.source.resolve())
    options.picture.write_text(draw(graph), encoding="utf-8")
    circles = [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1]
    print(f"{options.picture}: {len(graph)} packages, {graph.number_of_edges()} imports, circles: {circles or 'none'}")


if __name__ == "__main__":
    main()
