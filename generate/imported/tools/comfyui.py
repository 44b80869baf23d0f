"""ComfyUI: the graph that was run, as JSON under ``prompt``; texts, seed and model are found by following its links.

Of several samplers it is the one that begins: its latent comes from no other. A graph says nothing by itself of what
is a prompt; where the way from the sampler ends in no text, nothing is said.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from diptych.generate.imported.tools.said import ToolSays, json_object, tool_says

MAX_NODES = 10_000
TEXTS = ("text", "text_g", "t5xxl", "clip_l", "prompt", "string", "value", "text_positive", "positive_prompt")
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
        asks = "positive" if "positive" in guider["inputs"] else "conditioning"
        schedule, noise = self._linked(sampler, "sigmas") or sampler, self._linked(sampler, "noise") or sampler
        solver = self._linked(sampler, "sampler") or sampler
        names = [self._value(solver, "sampler_name"), self._value(schedule, "scheduler")]
        model = self._linked(guider, "model") or self._linked(schedule, "model")
        return tool_says(
            self._text(guider, asks),
            negative_prompt=self._text(guider, "negative"),
            seed=self._value(noise, "noise_seed", "seed"),
            steps=self._value(schedule, "steps"),
            sampler=" ".join(name for name in names if isinstance(name, str)) or None,
            guidance=self._guidance(guider, asks),
            model=self._found(model, MODEL_NAMES, ("model",)),
        )

    def _first_sampler(self) -> Node | None:
        """Return the sampler whose latent comes from no other; of several such, the one with the least id."""
        found = [
            key for key, node in sorted(self._nodes.items(), key=lambda item: (len(item[0]), item[0])) if _samples(node)
        ]
        for key in found:
            node = self._nodes[key]
            links = (self._linked(node, name) for name in SAMPLER_INPUTS)
            before = (one for link in links if link is not None for one in self._behind(link, None))
            if not any(_samples(one) for one in before):
                return node
        return self._nodes[found[0]] if found else None

    def _guidance(self, guider: Node, asks: str) -> Any:
        """Return the guidance of a sampler; of models that read it as an input, that of the text before it."""
        distilled = self._found(self._linked(guider, asks), ("guidance",), ("conditioning", "positive"))
        return distilled if distilled is not None else self._value(guider, "cfg")

    def _text(self, node: Node, name: str) -> str | None:
        """Return the text behind an input: that of the first node there that has one.

        A node that hands on a positive and a negative side has the one as its first output, the other as its second.
        """
        seen = set[int]()
        while (linked := self._linked(node, name)) is not None and id(linked) not in seen:
            seen.add(id(linked))
            if not {"positive", "negative"} <= linked["inputs"].keys():
                return self._first_text(linked)
            node, name = linked, "positive" if node["inputs"][name][1] == 0 else "negative"
        return None

    def _first_text(self, node: Node) -> str | None:
        for one in self._behind(node, None):
            said = [text for text in (one["inputs"].get(name) for name in TEXTS) if isinstance(text, str)]
            if said:
                return next((text for text in said if text), "")
        return None

    def _found(self, node: Node | None, names: tuple[str, ...], through: tuple[str, ...]) -> Any:
        """Return the first value of some names behind a node, on the way through some inputs."""
        for one in self._behind(node, through):
            value = next((one["inputs"][name] for name in names if name in one["inputs"]), None)
            if value is not None and not isinstance(value, list):
                return value
        return None

    def _behind(self, node: Node | None, through: tuple[str, ...] | None) -> Iterator[Node]:
        """Yield a node and all behind it, through some of the inputs or all, the nearer first; each once."""
        waiting, seen = [node] if node is not None else [], set[int]()
        while waiting:
            one = waiting.pop(0)
            if id(one) in seen:
                continue
            seen.add(id(one))
            yield one
            names = one["inputs"] if through is None else [name for name in through if name in one["inputs"]]
            waiting += [linked for name in names if (linked := self._linked(one, name)) is not None]

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


def _samples(node: Node) -> bool:
    kind = node.get("class_type")
    return isinstance(kind, str) and ("KSampler" in kind or kind.startswith("SamplerCustom")) and "Select" not in kind
