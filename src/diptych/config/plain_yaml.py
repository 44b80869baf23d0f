"""YAML as a config may be: of bounded depth and size, without anything that refers to itself.

Values are those of JSON: texts, numbers, true and false, null, lists and mappings. What looks like a date is a text, as
it is to YAML 1.2. An alias stands for what it names, so that a kilobyte of them can stand for more values than fit into
any memory; what they come to is counted before a value is made. Decides nothing about which keys there are.
"""

from typing import Any, NamedTuple

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

MAX_DEPTH = 50
MAX_NODES = 200_000  # values of a config with its aliases written out
MAX_INT_BITS = 64  # of a whole number: a seed has as many, and what is beyond them no key takes
MAX_DIGITS = 100  # of a whole number however it is written; more are not even read
# What YAML's parser says of what people get wrong most, by how it begins, in words of their own.
PLAIN = {
    "expected <block end>, but found": "the indentation does not fit the lines above; begin keys of one level "
    "below one another, and close quotes and brackets",
    "found character '\\t' that cannot start any token": "a tab stands there; indent with blanks",
    "mapping values are not allowed here": "a colon where none can be: the line above lacks one, the indentation does "
    "not fit it, or a text with ': ' in it lacks quotes",
    "could not find expected ':'": "a key without a colon; write it as key: value",
    "did not find expected <document start>": "a line that is no key; write it as key: value",
}
MAX_SHOWN = 40  # characters of a value in a message
TAG = "tag:yaml.org,2002:"
INT_TAG = f"{TAG}int"
TAGS = {f"{TAG}{name}" for name in ("bool", "float", "int", "map", "merge", "null", "seq", "str")}


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
            raise ComposerError(None, None, _not_a_letter(wrong), node.start_mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag not in TAGS:
            raise ConstructorError(
                None, None, f"{_shown_tag(node)} is no sort of value that a config has", node.start_mark
            )
        is_long = node.tag == INT_TAG and len(node.value) > MAX_DIGITS
        try:
            value = None if is_long else super().construct_object(node, deep)
        except (AttributeError, LookupError, ValueError) as error:  # what yaml's constructors make of "!!bool abc"
            raise _not_so(node) from error
        if is_long or (isinstance(value, int) and value.bit_length() > MAX_INT_BITS):
            raise ConstructorError(None, None, f"a number of more than {MAX_INT_BITS} bits", node.start_mark)
        return value


_Loader.yaml_implicit_resolvers = {  # of dates there is none
    first: [(tag, pattern) for tag, pattern in found if tag in TAGS]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(text: str) -> ParsedYaml:
    """Return the nodes and the values of one YAML document; None and None of an empty one.

    Raises:
        YAMLError: If it is not YAML, beyond the bounds, or holds a number that cannot be; it has a mark where
            one is known.
    """
    if wrong := yaml.SafeLoader.NON_PRINTABLE.search(text):
        line, column = text.count("\n", 0, wrong.start()), wrong.start() - text.rfind("\n", 0, wrong.start()) - 1
        mark = yaml.Mark("", wrong.start(), line, column, None, 0)
        raise ComposerError(None, None, _not_a_letter(wrong[0]), mark)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        return ParsedYaml(root, None if root is None else loader.construct_document(root))
    finally:
        loader.dispose()


def in_plain_words(problem: str) -> str:
    """Return what YAML's parser says is wrong, in plain words where there are some.

    >>> in_plain_words("could not find expected ':'")
    'a key without a colon; write it as key: value'
    """
    return next((said for begins, said in PLAIN.items() if problem.startswith(begins)), problem)


def _not_a_letter(character: str) -> str:
    return f"the character U+{ord(character):04X}, which no text can have, stands in it"


def _shown_tag(node: yaml.Node) -> str:
    return f"!!{node.tag.removeprefix(TAG)}" if node.tag.startswith(TAG) else str(node.tag)


def _not_so(node: yaml.Node) -> ConstructorError:
    """Return what to raise for a scalar that is not what its tag, written or found, says."""
    text = f"{str(node.value)[:MAX_SHOWN]!r} is no {node.tag.rpartition(':')[2]}"
    return ConstructorError(None, None, text, node.start_mark)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
