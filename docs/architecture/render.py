"""The pictures of `workspace.dsl`, by Graphviz: `make diagrams`.

Reads the part of the Structurizr DSL that the file uses: elements with their braces, relations,
views that include everything, and the colours of tags. A view shows what stands inside its
subject, and what has a relation with that; a relation to something within a closed box goes to
the box, as in Structurizr. Each picture carries the hash of what it was made of, so that a test
can tell an old one without Graphviz.
"""

import hashlib
import re
import shlex
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
KINDS = ("person", "softwareSystem", "container", "component")
SHAPES = {"Person": "Mrecord", "Folder": "folder"}
DPI = 110
CHUNK_AT = 8 + 25  # behind a PNG's signature and its IHDR


@dataclass
class Element:
    """A box: `words` are the strings behind its kind, the name first."""

    id: str
    kind: str
    words: list[str]
    parents: list[str]


@dataclass
class Workspace:
    """What the file says."""

    elements: dict[str, Element] = field(default_factory=dict)  # by identifier
    relations: list[tuple[str, str, str]] = field(default_factory=list)  # from, to, what
    views: list[list[str]] = field(default_factory=list)  # subject, key, title, direction
    styles: dict[str, dict[str, str]] = field(default_factory=dict)  # of each tag


def read(text: str) -> Workspace:
    """Read a workspace; ValueError names a line that is not understood."""
    found, open_blocks = Workspace(), [""]
    for line in text.splitlines():
        words = shlex.split(line)
        if not words:
            continue
        if words == ["}"]:
            open_blocks.pop()
            continue
        opens = words[-1] == "{"
        words = words[:-1] if opens else words
        if words[1:2] == ["->"]:
            found.relations.append((words[0], words[2], words[3]))
        elif words[1:2] == ["="] and words[2] in KINDS:
            parents = [block for block in open_blocks if block in found.elements]
            found.elements[words[0]] = Element(words[0], words[2], words[3:], parents)
        elif words[0] in ("systemContext", "container", "component"):
            found.views.append([*words[1:4], "tb"])
        elif words[0] == "autoLayout":
            found.views[-1][3] = words[1]
        elif words[0] == "element":
            found.styles[words[1]] = {}
        elif words[0] in ("background", "color", "shape"):
            found.styles[list(found.styles)[-1]][words[0]] = words[1]
        elif words[0] not in ("workspace", "model", "views", "styles", "include"):
            raise ValueError(line)
        if opens:
            open_blocks.append(words[0])
    return found


def dot_of(space: Workspace, view: list[str]) -> str:
    """Put one view into the language of Graphviz."""
    subject, key, title, direction = view
    inner = frozenset(e.id for e in space.elements.values() if e.parents[-1:] == [subject])
    if key == "c1":
        inner = frozenset({subject})
    edges: dict[tuple[str, str], str] = {}
    for start, end, what in space.relations:
        edges.setdefault((_shown(space, start, inner), _shown(space, end, inner)), what)
    shown = {each for pair in edges if inner & set(pair) for each in pair}
    edges = {pair: what for pair, what in edges.items() if len({*pair} & shown) == 2}
    nodes = {each: _node(space, each) for each in space.elements if each in shown}
    within = "".join(text for each, text in nodes.items() if each in inner)
    if inner != {subject}:
        name = _label(space.elements[subject].words[0])
        within = f'subgraph cluster_0 {{ label={name} style=dashed color="#607080"\n{within}}}\n'
    return (
        f'digraph {{ rankdir={direction.upper()} dpi={DPI} fontname="DejaVu Sans" nodesep=0.5\n'
        f"ranksep=0.8 label={_label(title)} labelloc=t fontsize=15\n"
        'node [fontname="DejaVu Sans" fontsize=11 style=filled color="#607080" margin="0.2,0.12"]\n'
        'edge [fontname="DejaVu Sans" fontsize=9 color="#607080" fontcolor="#34495e"]\n'
        + within
        + "".join(text for each, text in nodes.items() if each not in inner)
        + "".join(f"{a} -> {b} [label={_label(what, 18)}]\n" for (a, b), what in edges.items())
        + "}\n"
    )


def _shown(space: Workspace, name: str, inner: frozenset[str]) -> str:
    """Which box stands for an element: itself, a box it is in, or its closed neighbour."""
    element = space.elements[name]
    for each in (name, *reversed(element.parents)):
        if each in inner:
            return each
    around = {parent for each in inner for parent in space.elements[each].parents}
    return next((each for each in (*element.parents, name) if each not in around), name)


def _node(space: Workspace, name: str) -> str:
    element = space.elements[name]
    style = dict(space.styles["Element"])
    for tag in ("Person" if element.kind == "person" else "", *element.words[2:]):
        style |= space.styles.get(tag, {})
    what = element.words[2] if element.kind in ("container", "component") else element.kind
    label = _label(
        f"{element.words[0]}\n[{what.replace('softwareS', 's')}]\n\n{element.words[1]}", 26
    )
    shape = SHAPES.get(style.get("shape", ""), "box")
    return f'{name} [label={label} shape={shape} fillcolor="{style["background"]}"]\n'


def _label(text: str, width: int = 100) -> str:
    folded = re.sub(rf"(.{{1,{width}}})(?: |$)", r"\1\\n", text, flags=re.MULTILINE)
    return '"' + folded.replace("\n", "").removesuffix("\\n").replace('"', '\\"') + '"'


def made_of(dot: str) -> bytes:
    """The chunk of a PNG that says of what it was made."""
    body = b"tEXtSource\0sha256:" + hashlib.sha256(dot.encode()).hexdigest().encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


if __name__ == "__main__":
    workspace = read((HERE / "workspace.dsl").read_text())
    for each in workspace.views:
        source = dot_of(workspace, each)
        png = subprocess.run(["dot", "-Tpng"], input=source.encode(), capture_output=True)  # noqa: S607
        if png.returncode:
            sys.exit(png.stderr.decode())
        picture = png.stdout[:CHUNK_AT] + made_of(source) + png.stdout[CHUNK_AT:]
        (HERE / f"{each[1]}.png").write_bytes(picture)
