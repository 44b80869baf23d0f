"""Which columns a score can have, as its module says it: no model is built, and no weights are looked for."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diptych.errors import MissingExtra
from diptych.lookup import import_attribute, resolve, source_of
from diptych.scores import SCORES, Column

OF_ONE_COLUMN = "column"  # the option of a score that names its column


@dataclass(frozen=True)
class PossibleColumns:
    """The columns of a score, as far as they can be known before it is built.

    Attributes:
        names: Those that it may have.
        begins: What others begin with, whose names end with what its options say; empty if there are none.
        declared: Those of which more is known than the name.
    """

    names: frozenset[str]
    begins: str = ""
    declared: tuple[Column, ...] = ()

    def may_have(self, name: str) -> bool:
        """Return whether a column of that name may be among them."""
        return name in self.names or bool(self.begins and name.startswith(self.begins))


def possible_columns(score: str, options: Mapping[str, Any]) -> PossibleColumns | None:
    """Return the columns that a score can have; None where nothing tells: one of the user's own, or not installed.

    >>> possible_columns("aesthetic", {}).may_have("aesthetic_v2"), possible_columns("vqa_score", {}).names
    (True, frozenset({'vqa_score'}))

    Args:
        score: Its name.
        options: With which it is made.
    """
    if score not in SCORES:
        return None
    module = SCORES[score].partition(":")[0]
    try:
        declared = import_attribute(f"{module}:__dict__")
        parameters = inspect.signature(resolve(SCORES, "score", score)).parameters
    except MissingExtra:
        return None
    columns = tuple({one.name: one for value in declared.values() for one in _columns_in(value)}.values())
    names = {one.name for one in columns}
    made = list(_names_made(source_of(module)))
    names |= {str(one.value) for one in made if isinstance(one, ast.Constant)}
    if OF_ONE_COLUMN in parameters:
        own = options.get(OF_ONE_COLUMN, parameters[OF_ONE_COLUMN].default)
        return PossibleColumns(frozenset({*names, own}), declared=columns)
    computed = [one for one in made if not isinstance(one, ast.Constant)]
    constants = [one for one in computed if isinstance(one, ast.Name) and one.id in declared]
    return PossibleColumns(frozenset(names), f"{score}_" if len(computed) > len(constants) else "", columns)


def score_of_column(name: str) -> str:
    """Return the score of diptych that writes a column of this name, the first by its name; empty if none does.

    >>> score_of_column("clip_similarity"), score_of_column("short_side"), score_of_column("aesthetic_v2")
    ('clip_similarity', 'image_stats', 'aesthetic')
    >>> score_of_column("colour")
    ''
    """
    known = {score: found for score in SCORES if (found := possible_columns(score, {})) is not None}
    written = (score for score, found in known.items() if found.may_have(name))
    return name if name in SCORES else next(written, "")


def _columns_in(value: object) -> Iterator[Column]:
    yield from (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Column))


def _names_made(source: str) -> Iterator[ast.expr]:
    """Yield the expression that names each column which a module makes, also within functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == Column.__name__:
            yield node.args[0]
