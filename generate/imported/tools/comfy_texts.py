"""The texts that a graph of ComfyUI gave to a side of its sampler, as far as the graph says them.

A text counts where it stands in an encoder, or comes to one through nodes that are known to hand a text on as it is.
Of any other node, which may replace words, fill in a template or ask a language model, nobody knows the text that it
made: then it is said which node that is, and what it made the text of.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.generate.imported.tools.comfy_graph import ComfyGraph, Node, all_inputs, kind_of
from diptych.generate.imported.tools.said import MAX_PROMPT, several_texts

POSITIVE, NEGATIVE = "positive", "negative"
# Inputs that bring everything at once: of Easy-Use and tinyterra, Impact, Efficiency, rgthree.
PIPES = ("pipe", "basic_pipe", "sdxl_tuple", "context", "base_ctx")
# Inputs of encoders that are texts; of one for each of several text encoders, all have a part in the picture.
ENCODED = ("text", "text_g", "text_l", "t5xxl", "clip_l", "clip_g", "llama", "prompt")
ENCODED_OF_SIDE = {
    POSITIVE: (*ENCODED, "text_positive", "positive_prompt"),
    NEGATIVE: (*ENCODED, "text_negative", "negative_prompt"),
}
# How inputs begin that bring no text, even where some text had a part in what they bring.
NO_TEXTS = ("clip", "control_net", "image", "latent", "mask", "model", "pixels", "samples", "vae")
EMPTIES = "zeroout"  # in the kinds of nodes that make of a conditioning one without any text
# Kinds of nodes that hand a text on as it is, and the inputs of these that have it.
HANDED_ON = (
    "reroute",
    "primitivenode",
    "primitivestring",
    "primitivestringmultiline",
    "showtext|pysssss",
    "crtext",
    "crprompttext",
    "easypositive",
    "easynegative",
    "jwstring",
    "jwstringmultiline",
    "stringliteral",
    "ttntext",
)
HANDED_IN = ("value", "text", "string", "prompt", POSITIVE, NEGATIVE, "")  # the last of a reroute
FILLS_IN = "easy"  # begins the kinds of loaders that take a text for a template, where it is one
TEMPLATE = re.compile(r"\{[^{}]*\|[^{}]*\}|__[\w/.*-]+__")  # a choice, or a file of words (Easy-Use's wildcards)
CONCATENATES = "stringconcatenate"
SPOKEN = ("text", "prompt", "string", "value")  # in the names of inputs that are texts, of any node


@dataclass(frozen=True)
class SideTexts:
    """The texts of a side of a sampler.

    Attributes:
        texts: Each once, the nearer first; an empty one only where no other is.
        makers: Classes of the nodes that made texts which nobody knows, of some of ``texts``.
    """

    texts: tuple[str, ...]
    makers: tuple[str, ...] = ()

    @property
    def only(self) -> str | None:
        """The text of the side; None where there is none, several, or one that nobody knows."""
        return self.texts[0] if len(self.texts) == 1 and not self.makers else None

    def unclear(self, what: str) -> str | None:
        """Return in words why there is no one text, though there is something; None where nothing is unclear."""
        if not self.makers:
            return several_texts(what, self.texts)
        made_of = f" of {', '.join(map(repr, self.texts))}" if self.texts else ""
        return f"{', '.join(self.makers)} made its {what}{made_of}"


def side_texts(graph: ComfyGraph, node: Node, name: str, side: str) -> SideTexts:
    """Return the texts behind an input of a sampler.

    A node that takes a positive and a negative side hands both on; its first output is no negative one, unless it has
    everything.

    Raises:
        ValueError: If one is longer than any model reads.
    """
    linked = graph.linked(node, name)
    if linked is None:
        return SideTexts(())
    is_two_sided = {POSITIVE, NEGATIVE} <= linked["inputs"].keys()
    if is_two_sided and name not in PIPES and node["inputs"][name][1] == 0:
        side = POSITIVE
    return _Walk(graph, side).texts(linked)


class _Walk:
    """A way from a sampler to the texts of a side."""

    def __init__(self, graph: ComfyGraph, side: str) -> None:
        self._graph, self._side = graph, side
        self._known: dict[int, str | None] = {}
        self._makers: dict[str, None] = {}

    def texts(self, start: Node) -> SideTexts:
        found = dict.fromkeys(text for node in self._graph.behind(start, self._onward) for text in self._of(node))
        return SideTexts(tuple(text for text in found if text) or tuple(found), tuple(self._makers))

    def _onward(self, node: Node) -> list[str]:
        """Return the inputs of a node through which conditionings come to it."""
        if _brings_no_text(node) or self._own(node):
            return []
        if self._side in node["inputs"]:
            return [self._side]
        return [name for name in all_inputs(node) if not name.startswith(NO_TEXTS)]

    def _own(self, node: Node) -> list[str]:
        """Return the inputs of a node that are texts, or bring some."""
        inputs, kind = node["inputs"], kind_of(node)
        side = inputs.get(self._side)
        if isinstance(side, str) or (isinstance(side, list) and "loader" in kind):
            return [self._side]
        if self._side in inputs:
            return []
        names = ENCODED_OF_SIDE[self._side]
        return [name for name in names if isinstance(inputs.get(name), str) or self._graph.linked(node, name)]

    def _of(self, node: Node) -> Iterator[str]:
        """Yield the texts that a node on the way of conditionings brings in."""
        if _brings_no_text(node):
            return
        own = self._own(node)
        is_encoder = "encode" in kind_of(node) or "clip" in node["inputs"] or self._side in node["inputs"]
        if own and is_encoder:
            for name in own:
                text = self._input(node, name)
                if text is not None and kind_of(node).startswith(FILLS_IN) and TEMPLATE.search(text):
                    self._makers[str(node.get("class_type"))] = None
                yield from self._unknown(node, name) if text is None else [text]
        elif own or _spoken(node):
            text = self._made(node)
            yield from self._made_of(node) if text is None else [text]

    def _input(self, node: Node, name: str) -> str | None:
        """Return the text that an input has or brings; None where nobody knows it."""
        value = node["inputs"].get(name)
        if isinstance(value, str):
            return value
        linked = self._graph.linked(node, name)
        return self._made(linked) if linked is not None else None

    def _made(self, node: Node) -> str | None:
        """Return the text that a node hands on; None where nobody knows it."""
        if id(node) not in self._known:
            self._known[id(node)] = self._read(node)
        return self._known[id(node)]

    def _read(self, node: Node) -> str | None:
        kind = kind_of(node)
        if kind in HANDED_ON:
            text = self._input(node, _handed_in(node))
            return self._graph.shown(node) if text is None else text
        if kind == CONCATENATES:
            return self._concatenated(node)
        return None

    def _concatenated(self, node: Node) -> str | None:
        first, second = self._input(node, "string_a"), self._input(node, "string_b")
        delimiter = self._input(node, "delimiter")
        if first is None or second is None or delimiter is None:
            return None
        if len(first) + len(delimiter) + len(second) > MAX_PROMPT:
            raise ValueError(f"a concatenated text of more than {MAX_PROMPT:,} letters; no longer one is read")
        return first + delimiter + second

    def _unknown(self, node: Node, name: str) -> list[str]:
        linked = self._graph.linked(node, name)
        return self._made_of(linked) if linked is not None else []

    def _made_of(self, node: Node) -> list[str]:
        """Return the texts that went into one that nobody knows, and keep which node made it."""
        while kind_of(node) in HANDED_ON and (before := self._graph.linked(node, _handed_in(node))) is not None:
            node = before
        self._makers[str(node.get("class_type"))] = None
        behind = self._graph.behind(node, lambda one: () if _brings_no_text(one) else all_inputs(one))
        return [text for one in behind for text in _spoken(one)]


def _handed_in(node: Node) -> str:
    return next((name for name in HANDED_IN if isinstance(node["inputs"].get(name), str | list)), "")


def _spoken(node: Node) -> list[str]:
    inputs = node["inputs"].items()
    return [value for name, value in inputs if isinstance(value, str) and value and any(x in name for x in SPOKEN)]


def _brings_no_text(node: Node) -> bool:
    return is_sampler(node) or EMPTIES in kind_of(node)


def is_sampler(node: Node) -> bool:
    """Whether a node is a sampler: by its class, or by the inputs that only one has."""
    kind, inputs = kind_of(node), node["inputs"]
    if "ksampler" in kind or kind.startswith("samplercustom"):
        return "select" not in kind and "config" not in kind
    asks = isinstance(inputs.get(POSITIVE, inputs.get("conditioning")), list)
    return asks and "steps" in inputs and ("seed" in inputs or "noise_seed" in inputs)
