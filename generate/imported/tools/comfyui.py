"""ComfyUI: the graph that was run, as JSON under ``prompt``; texts, seed and model are found by following its links.

Of several samplers it is the one that begins what was saved: its latent comes from no other. Where a file may be of
several, what these differ in is not said. A graph says nothing by itself of what is a prompt; where the way from the
sampler ends in no text, nothing is said. Where it ends in several, which the graph combines, concatenates, averages,
encodes side by side or chooses from, or in one that a node made which is not known to hand it on as it is, none of them
is the prompt, and that is said.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from diptych.generate.imported.tools.comfy_graph import ComfyGraph, Node, kind_of
from diptych.generate.imported.tools.comfy_savers import makers_of
from diptych.generate.imported.tools.comfy_texts import NEGATIVE, PIPES, POSITIVE, side_texts
from diptych.generate.imported.tools.said import ToolSays, also_unclear, json_object, sampler_name, tool_says

MAX_NODES = 10_000
TAGS = ("Model", "Make", "ImageDescription")  # of EXIF, in which a graph stands behind its name
OF_NODE = '"class_type"'  # in each graph
ASKS = (POSITIVE, "conditioning", *PIPES)
ASKS_NOT = (NEGATIVE, "neg_conditioning", *PIPES)
MODEL_NAMES = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name")
PLOTS = "xyplot"  # in the kinds of nodes that make pictures in several settings of one pipe


def read_comfyui(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what ComfyUI says; None where it is another program's."""
    text = _written(texts, "prompt")
    graph = json_object(text)
    if graph is None:
        return None
    nodes = {
        key: node for key, node in graph.items() if isinstance(node, dict) and isinstance(node.get("inputs"), dict)
    }
    if not nodes or not any(isinstance(node.get("class_type"), str) for node in nodes.values()):
        return None
    if len(nodes) > MAX_NODES:
        raise ValueError(f"a graph of {len(nodes):,} nodes; at most {MAX_NODES:,} are read")
    shown = dict(_shown(_first_object(_written(texts, "workflow"))))
    return _says(ComfyGraph(nodes, shown), file)


def _written(texts: Mapping[str, str], key: str) -> str | None:
    """Return the text under a key; in EXIF the key stands before it, or it is a part of the comment.

    Core and SaveImageExtended, as those of WAS, differ in tags and capitals: ``prompt:`` in Model and ``workflow:`` in
    Make, or ``Prompt:`` in Make and ``Workflow:`` in ImageDescription. SaveImagePlus writes an object of both.
    """
    if texts.get(key):
        return texts[key]
    for tag in TAGS:
        head, _, rest = texts.get(tag, "").partition(":")
        if head.casefold() == key:
            return rest
    comment = texts.get("UserComment", "")
    value = (json_object(comment) or {}).get(key) if OF_NODE in comment else None
    return json.dumps(value) if isinstance(value, dict) else None


def _first_object(text: str | None) -> dict[str, Any] | None:
    """Return the first of the objects that a text has one behind another, as some savers write all they know."""
    if text is None or not text.lstrip().startswith("{"):
        return None
    start = text.lstrip()
    return json_object(start[: json.JSONDecoder().raw_decode(start)[1]])


def _shown(workflow: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield the ids of nodes that show texts, and the text that each showed in this run.

    ``ShowText|pysssss`` writes it into ``workflow``; what stands in ``prompt`` is of the run before.
    """
    nodes = workflow.get("nodes") if workflow is not None else None
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, dict) and node.get("type") == "ShowText|pysssss":
            text = node.get("widgets_values")
            while isinstance(text, list) and len(text) == 1:
                text = text[0]
            if isinstance(text, str):
                yield str(node.get("id")), text


def _says(graph: ComfyGraph, file: str) -> ToolSays:
    """Return what a graph says of the image of a file: of several that may be it what these agree in."""
    all_say = [ToolSays() if sampler is None else _sampler_says(graph, sampler) for sampler in makers_of(graph, file)]
    if not all_say:
        return ToolSays()
    first = all_say[0]
    facts = {name: value for name, value in first.facts.items() if all(one.facts.get(name) == value for one in all_say)}
    differ = [name for name in dict.fromkeys(name for one in all_say for name in one.facts) if name not in facts]
    prompts = {one.prompt for one in all_say}
    if len(prompts) == 1 and not differ:
        return first
    several = ", ".join(["prompt", *differ] if len(prompts) > 1 else differ)
    reasons = dict.fromkeys(one.unclear for one in all_say if one.unclear)
    unclear = "; ".join([f"it may be one of several images of its graph, which differ in {several}", *reasons])
    return ToolSays(first.prompt if len(prompts) == 1 else None, facts, unclear)


def _sampler_says(graph: ComfyGraph, sampler: Node) -> ToolSays:
    """Return what a graph says of what a sampler made."""
    guider = graph.linked(sampler, "guider") or sampler
    asks, asks_not = _first_of(guider, ASKS), _first_of(guider, ASKS_NOT)
    schedule, noise = graph.linked(sampler, "sigmas") or sampler, graph.linked(sampler, "noise") or sampler
    solver = graph.linked(sampler, "sampler") or sampler
    model = graph.linked(guider, "model") or graph.linked(schedule, "model") or _piped(graph, sampler)
    prompt, negative = side_texts(graph, guider, asks, POSITIVE), side_texts(graph, guider, asks_not, NEGATIVE)
    says = tool_says(
        prompt.only,
        negative_prompt=negative.only,
        seed=_setting(graph, sampler, noise, "noise_seed", "seed"),
        steps=_setting(graph, sampler, schedule, "steps"),
        sampler=sampler_name(
            _setting(graph, sampler, solver, "sampler_name"), _setting(graph, sampler, schedule, "scheduler")
        ),
        guidance=_guidance(graph, sampler, guider, asks),
        model=graph.found(model, MODEL_NAMES, ("model", *PIPES)),
    )
    return also_unclear(says, prompt.unclear("prompt"), negative.unclear("negative prompt"))


def _first_of(node: Node, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in node["inputs"]), names[0])


def _piped(graph: ComfyGraph, sampler: Node) -> Node | None:
    """Return the node that hands a sampler everything at once; None where none does."""
    return next((node for name in PIPES if (node := graph.linked(sampler, name)) is not None), None)


def _setting(graph: ComfyGraph, sampler: Node, node: Node, *names: str) -> Any:
    """Return a value that a sampler ran with: of itself, of the node that it has for this, or of the nearest pipe."""
    pipes = list(graph.behind(_piped(graph, sampler), lambda _: PIPES))
    if any(PLOTS in kind_of(one) for one in pipes):
        return None
    values = (graph.value(one, *names) for one in (node, *pipes))
    return next((value for value in values if value is not None), None)


def _guidance(graph: ComfyGraph, sampler: Node, guider: Node, asks: str) -> Any:
    """Return the guidance of a sampler; of models that read it as an input, that of the text before it.

    Of a pipe that says which guider there is, not every one takes the number that stands beside it.
    """
    distilled = graph.found(graph.linked(guider, asks), ("guidance",), ("conditioning", POSITIVE))
    if distilled is not None:
        return distilled
    if any("guider" in one["inputs"] for one in graph.behind(_piped(graph, sampler), lambda _: PIPES)):
        return None
    return _setting(graph, sampler, guider, "cfg")
