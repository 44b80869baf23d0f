"""The edit distance of two texts: letters to put in, leave out or change (Levenshtein 1966)."""

import numpy as np

SMALL = 4096  # cells of a table that is filled faster one by one


def edit_distance(one: str, other: str) -> int:
    """Return the least number of letters put in, left out or changed that makes one text the other.

    >>> edit_distance("kitten", "sitting"), edit_distance("", "tea"), edit_distance("a" * 99 + "b", "a" * 99)
    (3, 3, 1)
    """
    return _by_cells(one, other) if len(one) * len(other) < SMALL else _by_rows(one, other)


def _by_cells(one: str, other: str) -> int:
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, against in enumerate(other, start=1):
            line.append(min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != against)))
        last = line
    return last[-1]


def _by_rows(one: str, other: str) -> int:
    """Fill a row at once: what is put in lies to the right of the least that is left of it."""
    letters = np.array([ord(letter) for letter in other], np.int64)
    along = np.arange(len(letters) + 1)
    last = along
    for row, letter in enumerate(one, start=1):
        changed = np.minimum(last[1:] + 1, last[:-1] + (letters != ord(letter)))
        last = np.minimum.accumulate(np.concatenate([[row], changed]) - along) + along
    return int(last[-1])
