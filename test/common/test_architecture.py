# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md and docs/interfaces.md say what the sources do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from turret_ai.nodes.registry import NODES
from turret_ai.ros import qos, topics

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "turret_ai"
ROOMS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="needs the source tree"
)


def imported_rooms(file: Path) -> set[str]:
    """The rooms that a file imports from, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "turret_ai":
            names = [f"turret_ai.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        parts = [name.split(".") for name in names if name.startswith("turret_ai.")]
        found |= {part[1] for part in parts}
    return found & ROOMS


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of a table, told by the first cell of its head."""
    lines = text[text.index(f"| {head} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_what_the_page_says(room: str) -> None:
    told = {row[0].strip("`"): row[2] for row in rows(page("architecture.md"), "room")}
    real = set().union(*(imported_rooms(file) for file in (PACKAGE / room).rglob("*.py"))) - {room}
    assert told[room] == (", ".join(sorted(real)) or "none")


def test_the_picture_of_the_layers_shows_the_contract() -> None:
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^layers = \[(.*?)^\]", contract, re.DOTALL | re.MULTILINE)
    assert listed
    layers = re.findall(r'"(.*?)"', listed[1])
    drawn = [f'  l{i}["{" · ".join(layer.split(" | "))}"]' for i, layer in enumerate(layers)]
    arrows = "  " + " --> ".join(f"l{i}" for i in range(len(layers)))
    picture = "\n".join(["```mermaid", "flowchart TB", *drawn, arrows, "```"])
    assert picture in page("architecture.md"), f"the picture should be\n{picture}"


def _profile(name: str) -> str:
    profile = getattr(qos, name)
    reliable = profile.reliability == qos.ReliabilityPolicy.RELIABLE
    latched = profile.durability == qos.DurabilityPolicy.TRANSIENT_LOCAL
    kept = "transient local" if latched else f"depth {profile.depth}"
    return f"{'reliable' if reliable else 'best effort'}, {kept}"


def test_the_table_of_topics_is_the_contract() -> None:
    expected = []
    for topic in topics.TOPICS:
        service = _profile(topic.qos)
        if topic.readers:
            service += f"; subscribe {_profile(topic.readers)}"
        kind = topic.type.replace("/msg/", "/")
        expected.append([f"`{topic.name}`", kind, topic.source, service])
    told = rows(page("interfaces.md"), "topic")
    table = "\n".join("| " + " | ".join(row) + " |" for row in expected)
    assert told == expected, f"the table should be\n{table}"


@pytest.mark.parametrize("file", sorted((PACKAGE / "nodes").glob("*.py")), ids=lambda f: f.stem)
def test_nodes_take_topics_from_the_contract(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", "") in ("create_publisher", "create_subscription")
            and len(node.args) > 1
            and isinstance(node.args[1], ast.Constant)
        ):
            assert node.args[1].value not in topics.BY_NAME, ast.unparse(node)


def test_each_node_is_a_file_of_the_room() -> None:
    for name, where in NODES.items():
        assert where.startswith(f"turret_ai.nodes.{name}:")
