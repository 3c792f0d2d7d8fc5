"""The architecture's pictures show what workspace.dsl says, and that says what is there."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.e2e.harness import need

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "architecture"


def load() -> ModuleType:
    """Import the program that draws; it is in no package."""
    spec = importlib.util.spec_from_file_location("render", FOLDER / "render.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


render = load()
SPACE = render.read((FOLDER / "workspace.dsl").read_text())


def test_three_levels_have_a_view_each() -> None:
    """C4 levels 1 to 3."""
    assert [view[:2] for view in SPACE.views] == [
        ["logopsd", "c1"],
        ["logopsd", "c2"],
        ["daemon", "c3"],
    ]


@pytest.mark.parametrize("view", SPACE.views, ids=lambda view: view[1])
def test_a_picture_is_of_what_the_file_says(view: list[str]) -> None:
    """Made anew by `make diagrams`."""
    picture = (FOLDER / f"{view[1]}.png").read_bytes()

    assert render.made_of(render.dot_of(SPACE, view)) in picture


def test_components_name_what_is_in_the_tree() -> None:
    """Each room of level 3 says where it is."""
    for element in SPACE.elements.values():
        if element.kind == "component":
            assert (ROOT / element.words[2]).exists(), element.id


def test_every_room_is_a_component() -> None:
    """No package of the daemon is missing from level 3; the commands are a box of level 2."""
    named = {e.words[2].rstrip("/") for e in SPACE.elements.values() if e.kind == "component"}
    rooms = {f"logopsd/{path.parent.name}" for path in (ROOT / "logopsd").glob("*/__init__.py")}

    assert rooms - {"logopsd/commands"} <= named


def test_relations_join_known_elements() -> None:
    """No name is misspelt."""
    assert {each for relation in SPACE.relations for each in relation[:2]} <= set(SPACE.elements)


def test_a_line_that_is_not_understood_is_refused() -> None:
    """Rather than left out of the pictures."""
    with pytest.raises(ValueError, match="deploymentEnvironment"):
        render.read("workspace {\n deploymentEnvironment live {\n }\n}")


def test_graphviz_takes_what_is_drawn() -> None:
    """Each view is a graph in its language."""
    dot = need("dot")
    for view in SPACE.views:
        text = render.dot_of(SPACE, view).encode()
        subprocess.run([dot, "-Tsvg"], input=text, check=True, capture_output=True, timeout=20)
