"""Which samplers of a graph of ComfyUI made a file: one graph may save images of several, and stands in all of them.

Each node that saves images is followed back along what its image was made of, not along texts and hints; its
``filename_prefix`` tells which one wrote a file: ``get_save_image_path`` of ComfyUI's ``folder_paths.py`` has prefix,
``_``, a number and ``_`` in the name.
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from glob import escape
from pathlib import PurePosixPath

from diptych.generate.imported.tools.comfy_graph import ComfyGraph, Node, all_inputs, kind_of
from diptych.generate.imported.tools.comfy_texts import PIPES, POSITIVE, is_sampler

# From where a sampler has what it begins with: some sample what another has made of the same image.
BEGINNINGS = ("latent_image", "latent", "samples", "image", *PIPES)
FIRST_STAGE = "stage_c"  # where the conditioning of Stable Cascade's second stage has what the first one made
MAX_MAKERS = 200  # samplers and savers of a graph
PICTURES = ("images", "image")  # the inputs of what saves or shows images
PREFIX = "filename_prefix"
PREVIEW, PREVIEWED = "previewimage", "ComfyUI_temp_%letters%"  # the kind of node, and its prefix
NUMBERED = re.compile(r"(.+)_\d+_?")
FILLED_IN = re.compile(r"%[^%]+%|\[time(?:\([^)]*\))?\]")  # a date, a size, a value of a node; a time of WAS's savers


def makers_of(graph: ComfyGraph, file: str) -> list[Node | None]:
    """Return the samplers that began what a file shows: several where the graph and the file's name leave it open.

    None among them stands for images that may be it and that no sampler made, such as one that was loaded.

    Args:
        graph: The graph that the file carries.
        file: The path of the file.

    Raises:
        ValueError: If there are more of them than anybody means.
    """
    nodes = graph.nodes.values()
    savers, samplers = [node for node in nodes if _saves(node)], [node for node in nodes if is_sampler(node)]
    if len(savers) + len(samplers) > MAX_MAKERS:
        raise ValueError(f"a graph of {len(savers) + len(samplers)} samplers and savers; at most {MAX_MAKERS} are read")
    named = _of_name([*savers, *(node for node in nodes if kind_of(node) == PREVIEW)], file) or savers
    if not named:
        return [*(_beginning(graph, samplers) or samplers)]
    made = [list(filter(is_sampler, graph.behind(saver, _made_of(graph)))) for saver in named]
    begun = {id(node): node for found in made for node in _beginning(graph, found) or found}
    return [*begun.values(), *([None] if not all(made) else [])]


def _beginning(graph: ComfyGraph, samplers: list[Node]) -> list[Node]:
    """Return the samplers that have their beginning from no other."""
    through = _made_of(graph)
    found = []
    for sampler in samplers:
        links = (graph.linked(sampler, name) for name in through(sampler))
        if not any(is_sampler(node) for link in links for node in graph.behind(link, through)):
            found.append(sampler)
    return found


def _saves(node: Node) -> bool:
    inputs = node["inputs"]
    has_pictures = any(isinstance(inputs.get(name), list) for name in PICTURES)
    return has_pictures and (PREFIX in inputs or "save" in kind_of(node)) and kind_of(node) != PREVIEW


def _made_of(graph: ComfyGraph) -> Callable[[Node], Iterable[str]]:
    """Return what says through which inputs of a node its image came."""

    def inputs(node: Node) -> Iterable[str]:
        if FIRST_STAGE in node["inputs"]:
            return [FIRST_STAGE]
        if not is_sampler(node):
            return all_inputs(node)
        asks = graph.linked(node, POSITIVE)
        is_second = asks is not None and FIRST_STAGE in asks["inputs"]
        return [*BEGINNINGS, POSITIVE] if is_second else BEGINNINGS

    return inputs


def _of_name(savers: list[Node], file: str) -> list[Node]:
    """Return the nodes that give such a name, those that give its folder too before others; none where none does."""
    path = PurePosixPath(file)
    for name in (path.with_suffix("").as_posix(), path.stem):
        found = [node for node in savers if _names(node, name)]
        if found:
            return found
    return []


def _names(node: Node, name: str) -> bool:
    prefix = PREVIEWED if kind_of(node) == PREVIEW else node["inputs"].get(PREFIX)
    numbered = NUMBERED.fullmatch(name)
    if numbered is None or not isinstance(prefix, str):
        return False
    whole = prefix.replace("\\", "/").strip("/")
    parts = FILLED_IN.split(whole if "/" in name else PurePosixPath(whole).name)
    return fnmatchcase(f"/{numbered[1]}", "*/" + "*".join(map(escape, parts)))
