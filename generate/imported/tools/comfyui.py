"""ComfyUI: the graph that was run, as JSON under ``prompt``; texts, seed and model are found by following its links.

Of several samplers it is the one that begins: its latent comes from no other. A graph says nothing by itself of what
is a prompt; where the way from the sampler ends in no text, nothing is said. Where it ends in several, which the graph
combines, concatenates, averages or chooses from, none of them is the prompt, and that is said.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from diptych.generate.imported.tools.said import ToolSays, json_object, sampler_name, tool_says

MAX_NODES = 10_000
POSITIVE, NEGATIVE = "positive", "negative"
# Of a node, the first of these that is no empty text is its text, or links to it.
TEXTS = ("text", "text_g", "t5xxl", "clip_l", "prompt", "string", "value")
TEXTS_OF_SIDE = {
    POSITIVE: (POSITIVE, *TEXTS, "text_positive", "positive_prompt"),
    NEGATIVE: (NEGATIVE, *TEXTS, "text_negative", "negative_prompt"),
}
# How inputs begin that bring no text, even where some text had a part in what they bring.
NO_TEXTS = ("clip", "control_net", "image", "latent", "mask", "model", "pixels", "samples", "vae")
EMPTIES = "zeroout"  # in the names of nodes that make of a conditioning one without any text
SAMPLER_INPUTS = ("latent_image", "latent", "samples")
MODEL_NAMES = ("ckpt_name", "unet_name", "model_name")

Node = Mapping[str, Any]


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
    return _Graph(nodes).says()


class _Graph:
    """The nodes of a graph by their ids; an input is a value, or a link: the id of a node and which of its outputs."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def says(self) -> ToolSays:
        """Return what the graph says of the image."""
        sampler = self._first_sampler()
        if sampler is None:
            return ToolSays()
        guider = self._linked(sampler, "guider") or sampler
        asks = POSITIVE if POSITIVE in guider["inputs"] else "conditioning"
        schedule, noise = self._linked(sampler, "sigmas") or sampler, self._linked(sampler, "noise") or sampler
        solver = self._linked(sampler, "sampler") or sampler
        model = self._linked(guider, "model") or self._linked(schedule, "model")
        texts, negatives = self._texts(guider, asks, POSITIVE), self._texts(guider, NEGATIVE, NEGATIVE)
        unclear = [text for text in (_several("prompt", texts), _several("negative prompt", negatives)) if text]
        says = tool_says(
            _only(texts),
            negative_prompt=_only(negatives),
            seed=self._value(noise, "noise_seed", "seed"),
            steps=self._value(schedule, "steps"),
            sampler=sampler_name(self._value(solver, "sampler_name"), self._value(schedule, "scheduler")),
            guidance=self._guidance(guider, asks),
            model=self._found(model, MODEL_NAMES, ("model",)),
        )
        return replace(says, unclear="; ".join(unclear) or None)

    def _first_sampler(self) -> Node | None:
        """Return the sampler whose latent comes from no other; of several such, the one with the least id."""
        found = [
            key for key, node in sorted(self._nodes.items(), key=lambda item: (len(item[0]), item[0])) if _samples(node)
        ]
        for key in found:
            node = self._nodes[key]
            links = (self._linked(node, name) for name in SAMPLER_INPUTS)
            before = (one for link in links if link is not None for one in self._behind(link, _inputs))
            if not any(_samples(one) for one in before):
                return node
        return self._nodes[found[0]] if found else None

    def _guidance(self, guider: Node, asks: str) -> Any:
        """Return the guidance of a sampler; of models that read it as an input, that of the text before it."""
        distilled = self._found(self._linked(guider, asks), ("guidance",), ("conditioning", POSITIVE))
        return distilled if distilled is not None else self._value(guider, "cfg")

    def _texts(self, node: Node, name: str, side: str) -> list[str]:
        """Return the texts behind an input, each once, the nearer first; an empty one only where no other is.

        A node that takes a positive and a negative side hands both on; its first output is no negative one.
        """
        linked = self._linked(node, name)
        if linked is None:
            return []
        if {POSITIVE, NEGATIVE} <= linked["inputs"].keys() and node["inputs"][name][1] == 0:
            side = POSITIVE
        found = dict.fromkeys(self._texts_behind(linked, side))
        return [text for text in found if text] or list(found)

    def _texts_behind(self, node: Node, side: str) -> Iterator[str]:
        names = TEXTS_OF_SIDE[side]
        for one in self._behind(node, lambda one: _inputs_of_text(one, names)):
            if not _brings_no_text(one):
                own = one["inputs"].get(_text_input(one, names))
                yield from [own] if isinstance(own, str) else []

    def _found(self, node: Node | None, names: tuple[str, ...], through: tuple[str, ...]) -> Any:
        """Return the first value of some names behind a node, on the way through some inputs."""
        for one in self._behind(node, lambda _: through):
            value = next((one["inputs"][name] for name in names if name in one["inputs"]), None)
            if value is not None and not isinstance(value, list):
                return value
        return None

    def _behind(self, node: Node | None, through: Callable[[Node], Iterable[str]]) -> Iterator[Node]:
        """Yield a node and all behind it, through those inputs of each that are said, the nearer first; each once."""
        waiting, seen = [node] if node is not None else [], set[int]()
        while waiting:
            one = waiting.pop(0)
            if id(one) in seen:
                continue
            seen.add(id(one))
            yield one
            waiting += [linked for name in through(one) if (linked := self._linked(one, name)) is not None]

    def _linked(self, node: Node, name: str) -> Node | None:
        value = node["inputs"].get(name)
        is_link = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int)
        return self._nodes.get(str(value[0])) if is_link else None

    def _value(self, node: Node, *names: str) -> Any:
        """Return the first value of some names; where it is a link, the value of the node there that has one."""
        for name in names:
            if name in node["inputs"]:
                linked = self._linked(node, name)
                return node["inputs"][name] if linked is None else self._value(linked, name, "seed", "value", "int")
        return None


def _inputs(node: Node) -> Iterable[str]:
    return list(node["inputs"])


def _inputs_of_text(node: Node, names: tuple[str, ...]) -> Iterable[str]:
    """Return the inputs through which the text of a node comes: one that has its name, else all that may bring some."""
    if _brings_no_text(node):
        return ()
    own = _text_input(node, names)
    return (own,) if own is not None else [name for name in _inputs(node) if not name.startswith(NO_TEXTS)]


def _text_input(node: Node, names: tuple[str, ...]) -> str | None:
    """Return the input of a node that has or brings its text: the first by name, of which an empty one is the last."""
    there = [name for name in names if isinstance(node["inputs"].get(name), str | list)]
    return next((name for name in there if node["inputs"][name]), next(iter(there), None))


def _brings_no_text(node: Node) -> bool:
    kind = node.get("class_type")
    return _samples(node) or (isinstance(kind, str) and EMPTIES in kind.casefold().replace(" ", "").replace("_", ""))


def _only(texts: list[str]) -> str | None:
    return texts[0] if len(texts) == 1 else None


def _several(what: str, texts: list[str]) -> str:
    """Return in words that several texts are what should be one; empty where it is one or none."""
    return f"{len(texts)} texts make its {what}: {', '.join(map(repr, texts))}" if len(texts) > 1 else ""


def _samples(node: Node) -> bool:
    kind = node.get("class_type")
    return isinstance(kind, str) and ("KSampler" in kind or kind.startswith("SamplerCustom")) and "Select" not in kind
