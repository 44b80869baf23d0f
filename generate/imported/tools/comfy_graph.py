"""The graph of nodes that ComfyUI ran, by its links: an input is a value, or a node's id and one of its outputs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]
# What a value may be called in the node that it comes from: by itself, or as one that holds nothing else.
ELSEWHERE = {"seed": ("seed", "noise_seed"), "noise_seed": ("noise_seed", "seed"), "steps": ("steps", "steps_total")}
PLAIN = ("value", "int", "number")


class ComfyGraph:
    """The nodes of a graph by their ids."""

    def __init__(self, nodes: Mapping[str, Node], shown: Mapping[str, str]) -> None:
        """Keep a graph.

        Args:
            nodes: The nodes, as they were run.
            shown: Texts that nodes showed when they were run, by the ids of these.
        """
        self.nodes = nodes
        self._shown = {id(nodes[key]): text for key, text in shown.items() if key in nodes}

    def shown(self, node: Node) -> str | None:
        """Return the text that a node showed; None where none is known."""
        return self._shown.get(id(node))

    def linked(self, node: Node, name: str) -> Node | None:
        """Return the node that an input leads to; None where it is a value, or leads nowhere."""
        value = node["inputs"].get(name)
        is_link = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int)
        return self.nodes.get(str(value[0])) if is_link else None

    def value(self, node: Node, *names: str) -> Any:
        """Return the first value of some names; where it is a link, the value of the node there that has one."""
        for name in names:
            if name in node["inputs"]:
                linked = self.linked(node, name)
                return (
                    node["inputs"][name]
                    if linked is None
                    else self.value(linked, *ELSEWHERE.get(name, (name,)), *PLAIN)
                )
        return None

    def found(self, node: Node | None, names: tuple[str, ...], through: tuple[str, ...]) -> Any:
        """Return the first value of some names behind a node, on the way through some inputs."""
        for one in self.behind(node, lambda _: through):
            value = next((one["inputs"][name] for name in names if name in one["inputs"]), None)
            if value is not None and not isinstance(value, list):
                return value
        return None

    def behind(self, node: Node | None, through: Callable[[Node], Iterable[str]]) -> Iterator[Node]:
        """Yield a node and all behind it, through those inputs of each that are said, the nearer first; each once."""
        waiting, seen = [node] if node is not None else [], set[int]()
        while waiting:
            one = waiting.pop(0)
            if id(one) in seen:
                continue
            seen.add(id(one))
            yield one
            waiting += [linked for name in through(one) if (linked := self.linked(one, name)) is not None]


def all_inputs(node: Node) -> Iterable[str]:
    """Return the names of all inputs of a node."""
    return list(node["inputs"])


def kind_of(node: Node) -> str:
    """Return the class of a node, in small letters without spaces and underscores; empty where it has none."""
    kind = node.get("class_type")
    return kind.casefold().replace(" ", "").replace("_", "") if isinstance(kind, str) else ""
