"""What a number is called in a tracker: ``sdxl/match/clip_score``, its interval and n behind that.

Trackers sort and filter by names of letters, digits and underscores alone, in sections by slashes, and do not tell
upper case from lower.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

LOW, HIGH, COUNT, P_VALUE = "_ci_low", "_ci_high", "_n", "_p"
BEHIND = ("", LOW, HIGH, COUNT, P_VALUE)
TAKEN = ("numbers",)  # the table of all of them
MOST = 200  # characters of a key: MLflow takes 250, with what stands behind and before it


@dataclass(frozen=True)
class NumberName:
    """What a number is about.

    Attributes:
        groups: Which images: column -> value, in words.
        metric: As the store has it.
        identity_id: Of how it is made.
    """

    groups: Mapping[str, str]
    metric: str
    identity_id: str

    def key(self, *, with_columns: bool = False, with_identity: bool = False) -> str:
        """Return what it is called, where that is enough to tell it from others.

        >>> name = NumberName({"model": "sd-1.5"}, "match.clip_score", "0a1b2c3d")
        >>> name.key(), name.key(with_columns=True, with_identity=True)
        ('sd_1_5/match/clip_score', 'model_sd_1_5/match/clip_score_0a1b2c3d')
        """
        groups = (f"{column} {value}" if with_columns else value for column, value in self.groups.items())
        parts = [*groups, *self.metric.split(".")]
        whole = "/".join(map(_cleaned, parts))[:MOST].rstrip("/")
        return whole + (f"_{self.identity_id}" if with_identity else "")


def number_keys(names: Sequence[NumberName]) -> list[str]:
    """Return a key for each, no two of which, with what stands behind them, differ in nothing but case.

    The columns stand in the keys that would be one without them, or begin with no letter, and the identity in those of
    numbers that are made in two ways.

    >>> names = [NumberName({"model": "XL"}, "fid", "1"), NumberName({"model": "xl"}, "fid", "1")]
    >>> number_keys([*names, NumberName({"steps": "50"}, "fid", "1")])
    ['model_XL/fid', 'model_xl/fid_2', 'steps_50/fid']
    """
    plain = Counter(name.key().casefold() for name in names)
    needed = [not name.key()[0].isalpha() for name in names]
    made: dict[Hashable, set[str]] = {}
    for name in names:
        made.setdefault(_about(name), set()).add(name.identity_id)
    taken, found = {*TAKEN}, []
    for name, is_needed in zip(names, needed, strict=True):
        several = len(made[_about(name)]) > 1
        with_columns = is_needed or (plain[name.key().casefold()] > 1 and not several)
        key = name.key(with_columns=with_columns, with_identity=several)
        found.append(_free(key, taken))
        taken |= set(_all(found[-1]))
    return found


def shared_groups(
    names: Sequence[NumberName], may_be_shared: Callable[[str], bool]
) -> tuple[dict[str, str], list[NumberName]]:
    """Return in which groups all numbers are, and the names without these, so that runs of two models have the same.

    >>> name = NumberName({"model": "xl", "category": "counting"}, "fid", "1")
    >>> shared_groups([name], lambda column: column == "model")
    ({'model': 'xl'}, [NumberName(groups={'category': 'counting'}, metric='fid', identity_id='1')])

    Args:
        names: Of all numbers.
        may_be_shared: Whether a column may be left out.
    """
    shared = dict(names[0].groups) if names else {}
    for name in names:
        shared = {column: value for column, value in shared.items() if name.groups.get(column) == value}
    shared = {column: value for column, value in shared.items() if may_be_shared(column)}
    return shared, [without(name, shared) for name in names]


def without(name: NumberName, columns: Mapping[str, str]) -> NumberName:
    """Return a name without some columns."""
    groups = {column: value for column, value in name.groups.items() if column not in columns}
    return NumberName(groups, name.metric, name.identity_id)


def _about(name: NumberName) -> Hashable:
    return name.key(with_columns=True)


def _free(key: str, taken: set[str]) -> str:
    """Return the key, with a number behind it where it or what stands behind it is taken."""
    tried, number = key, 1
    while not taken.isdisjoint(_all(tried)):
        number += 1
        tried = f"{key}_{number}"
    return tried


def _all(key: str) -> list[str]:
    return [f"{key}{behind}".casefold() for behind in BEHIND]


def _cleaned(part: str) -> str:
    return re.sub(r"\W+", "_", part).strip("_") or "none"
