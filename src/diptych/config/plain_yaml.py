"""YAML as a config may be: of bounded depth and size, without anything that refers to itself.

An alias stands for what it names, so that a kilobyte of them can stand for more values than fit into any memory; what
they come to is counted before a value is made. Decides nothing about which keys there are.
"""

from typing import Any, NamedTuple

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

MAX_DEPTH = 50
MAX_NODES = 200_000  # values of a config with its aliases written out
MAX_INT_BITS = 64  # of a whole number: a seed has as many, and what is beyond them no key takes
MAX_DIGITS = 100  # of a whole number however it is written; more are not even read
MAX_SHOWN = 40  # characters of a value in a message
INT_TAG = "tag:yaml.org,2002:int"


class ParsedYaml(NamedTuple):
    """A text as nodes, which know their places, and as values."""

    root: yaml.Node | None
    values: Any


class _Loader(yaml.SafeLoader):
    """Composes nodes within bounds."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ComposerError(None, None, f"nested more than {MAX_DEPTH} levels deep", mark)
        is_alias = self.check_event(yaml.AliasEvent)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        if is_alias and id(node) not in self._sizes:  # begun and not ended
            raise ComposerError(None, None, "an alias stands in what it stands for", mark)
        if node is not None and not is_alias:
            size = 1 + sum(self._sizes[id(child)] for child in _children(node))
            self._sizes[id(node)] = size
            if size > MAX_NODES:
                raise ComposerError(None, None, f"its aliases stand for more than {MAX_NODES:,} values", mark)
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        wrong = next((letter for letter in node.value if letter == "\0" or "\ud800" <= letter <= "\udfff"), None)
        if wrong is not None:
            problem = f"the character U+{ord(wrong):04X}, which no text can have, stands in it"
            raise ComposerError(None, None, problem, node.start_mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        is_long = node.tag == INT_TAG and len(node.value) > MAX_DIGITS
        try:
            value = None if is_long else super().construct_object(node, deep)
        except (AttributeError, LookupError, ValueError) as error:  # what yaml's constructors make of "!!bool abc"
            raise _not_so(node) from error
        if is_long or (isinstance(value, int) and value.bit_length() > MAX_INT_BITS):
            raise ConstructorError(None, None, f"a number of more than {MAX_INT_BITS} bits", node.start_mark)
        return value


def parse_yaml(text: str) -> ParsedYaml:
    """Return the nodes and the values of one YAML document; None and None of an empty one.

    Raises:
        YAMLError: If it is not YAML, beyond the bounds, or holds a date or a number that cannot be; it has a mark where
            one is known.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        return ParsedYaml(root, None if root is None else loader.construct_document(root))
    finally:
        loader.dispose()


def _not_so(node: yaml.Node) -> ConstructorError:
    """Return what to raise for a scalar that is not what its tag, written or found, says."""
    text = f"{str(node.value)[:MAX_SHOWN]!r} is no {node.tag.rpartition(':')[2]}"
    return ConstructorError(None, None, text, node.start_mark)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
