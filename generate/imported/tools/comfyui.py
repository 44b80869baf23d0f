"""ComfyUI: the graph that was run, as JSON under ``prompt``; texts, seed and model are found by following its links.

Of several samplers it is the one that begins: its latent comes from no other. A graph says nothing by itself of what
is a prompt; where the way from the sampler ends in no text, nothing is said. Where it ends in several, which the graph
combines, concatenates, averages, encodes side by side or chooses from, or in one that a node made which is not known to
hand it on as it is, none of them is the prompt, and that is said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from diptych.generate.imported.tools.comfy_graph import ComfyGraph, Node, all_inputs
from diptych.generate.imported.tools.comfy_texts import NEGATIVE, POSITIVE, is_sampler, side_texts
from diptych.generate.imported.tools.said import ToolSays, json_object, sampler_name, tool_says

MAX_NODES = 10_000
# From where a sampler has what it begins with: some sample what another has made of the same image.
BEGINNINGS = ("latent_image", "latent", "samples", "image")
ASKS = (POSITIVE, "conditioning", "pipe")
ASKS_NOT = (NEGATIVE, "neg_conditioning", "pipe")
MODEL_NAMES = ("ckpt_name", "unet_name", "model_name")


def read_comfyui(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what ComfyUI says; None where it is another program's."""
    text = texts.get("prompt") or texts.get("Model", "").removeprefix("prompt:")
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
    workflow = texts.get("workflow") or texts.get("Make", "").removeprefix("workflow:")
    return _says(ComfyGraph(nodes, dict(_shown(json_object(workflow)))))


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


def _says(graph: ComfyGraph) -> ToolSays:
    """Return what a graph says of the image."""
    sampler = _first_sampler(graph)
    if sampler is None:
        return ToolSays()
    guider = graph.linked(sampler, "guider") or sampler
    asks, asks_not = _first_of(guider, ASKS), _first_of(guider, ASKS_NOT)
    schedule, noise = graph.linked(sampler, "sigmas") or sampler, graph.linked(sampler, "noise") or sampler
    solver = graph.linked(sampler, "sampler") or sampler
    model = graph.linked(guider, "model") or graph.linked(schedule, "model")
    prompt, negative = side_texts(graph, guider, asks, POSITIVE), side_texts(graph, guider, asks_not, NEGATIVE)
    says = tool_says(
        prompt.only,
        negative_prompt=negative.only,
        seed=graph.value(noise, "noise_seed", "seed"),
        steps=graph.value(schedule, "steps"),
        sampler=sampler_name(graph.value(solver, "sampler_name"), graph.value(schedule, "scheduler")),
        guidance=_guidance(graph, guider, asks),
        model=graph.found(model, MODEL_NAMES, ("model",)),
    )
    unclear = [text for text in (prompt.unclear("prompt"), negative.unclear("negative prompt")) if text]
    return replace(says, unclear="; ".join(unclear) or None)


def _first_of(node: Node, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in node["inputs"]), names[0])


def _first_sampler(graph: ComfyGraph) -> Node | None:
    """Return the sampler whose latent comes from no other; of several such, the one with the least id."""
    by_id = sorted(graph.nodes.items(), key=lambda item: (len(item[0]), item[0]))
    found = [node for _, node in by_id if is_sampler(node)]
    for node in found:
        links = (graph.linked(node, name) for name in BEGINNINGS)
        before = (one for link in links if link is not None for one in graph.behind(link, all_inputs))
        if not any(is_sampler(one) for one in before):
            return node
    return found[0] if found else None


def _guidance(graph: ComfyGraph, guider: Node, asks: str) -> Any:
    """Return the guidance of a sampler; of models that read it as an input, that of the text before it."""
    distilled = graph.found(graph.linked(guider, asks), ("guidance",), ("conditioning", POSITIVE))
    return distilled if distilled is not None else graph.value(guider, "cfg")
