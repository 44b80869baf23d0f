"""What a column of a score is called: ``label.column``, in configs, commands, stores and reports.

The label is the user's word for a score with its options, the column is the score's own, so that the similarities
under two encoders are two names. A column of the data goes by its own name. Loads where only the base install is.
"""

from collections.abc import Callable, Hashable, Iterable

from diptych.errors import ConfigError
from diptych.lookup import describe_unknown, nearest

BEGINNING = 3  # letters with which a name is taken for the beginning of another
DATA = "data"  # what SQL calls the data itself
# What stands beside the scores in SQL: no label can be called so.
RESERVED = frozenset({DATA, "dedup", "place", "select"})


def full_name(label: str, column: str) -> str:
    """Return the name of a score's column.

    >>> full_name("similarity", "clip_similarity")
    'similarity.clip_similarity'
    """
    return f"{label}.{column}"


def export_name(label: str, column: str) -> str:
    """Return the name of a score's column in an export: with a separator that every reader takes.

    Lance and BigQuery refuse a dot in a column's name, and SQL would want it in quotes.

    >>> export_name("similarity", "clip_similarity")
    'similarity__clip_similarity'
    """
    return f"{label}__{column}"


def find_name(
    name: str, known: Iterable[str], *, what: str, where: str = "", same: Callable[[str], Hashable] = str
) -> str:
    """Return the full name that a name stands for: its own, or the one full name that ends with it.

    >>> find_name("clip_similarity", ["similarity.clip_similarity", "model"], what="column")
    'similarity.clip_similarity'

    Args:
        name: ``label.column``, or ``column`` where only one label has it, or a column of the data.
        known: The full names.
        what: The kind of name, for the message.
        where: What the message begins with.
        same: From a full name to what it names, where labels may name the same thing.

    Raises:
        ConfigError: If there is none, or more than one.
    """
    full = list(known)
    if name in full:
        return name
    found: dict[Hashable, str] = {}
    for one in full:
        if one.rpartition(".")[2] == name:
            found.setdefault(same(one), one)
    if not found:
        raise ConfigError(f"{where}{describe_unknown_column(name, full, what=what)}")
    if len(found) > 1:
        names = " or ".join(found.values())
        raise ConfigError(f"{where}{what} {name!r}: {len(found)} labels have it; write {names}")
    return next(iter(found.values()))


def describe_unknown_column(name: str, known: Iterable[str], *, what: str = "column") -> str:
    """Return the sentence for a column that is not there; without a label it is likened to the columns' own names.

    >>> describe_unknown_column("widht", ["words.length", "width", "im.width_px"]).partition(" Known")[0]
    "unknown column 'widht'; did you mean 'width' or 'im.width_px'?"
    >>> describe_unknown_column("st.words", ["stats.words", "width"]).partition(" Known")[0]
    "unknown column 'st.words'; did you mean 'stats.words'?"
    >>> describe_unknown_column("clip", ["match.clip_similarity", "width"]).partition(" Known")[0]
    "unknown column 'clip'; did you mean 'match.clip_similarity'?"
    """
    full = list(known)
    own = {one: one if "." in name else one.rpartition(".")[2] for one in full}
    begun = [one for one in full if len(name) >= BEGINNING and own[one].casefold().startswith(name.casefold())]
    close = [one for near in nearest(name, set(own.values())) for one in full if own[one] == near] or begun[:2]
    return describe_unknown(what, name, full, close)


def label_problem(labels: Iterable[str]) -> str:
    """Return why labels cannot stand in SQL beside one another and beside the data; empty if they can.

    >>> label_problem(["a", "data"])
    "the label 'data' is taken; give the score another one"
    """
    seen: dict[str, str] = {}
    for label in labels:
        folded = label.casefold()
        if not label.strip() or folded in RESERVED:
            return f"the label {label!r} is taken; give the score another one"
        if folded in seen:
            return f"the labels {seen[folded]!r} and {label!r} are one to SQL; give the score another one"
        seen[folded] = label
    return ""


def clash_problem(pairs: Iterable[tuple[str, str]], data: Iterable[str]) -> str:
    """Return why columns of scores cannot stand beside the data; empty if they can.

    >>> clash_problem([("im", "brightness")], ["key", "im.brightness"])
    "the data has a column 'im.brightness'; give the score 'im' another label"

    Args:
        pairs: Label and column of each.
        data: Names of the columns of the data.
    """
    taken = {name.casefold(): name for name in data}
    for label, column in pairs:
        name = taken.get(full_name(label, column).casefold())
        if name is not None:
            return f"the data has a column {name!r}; give the score {label!r} another label"
    return ""
