"""How the two sides of a difference are not quite what their labels say, in words for the terminal and for reports."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from diptych.store.rows import EQUAL_N, LEFT_OUT_A, LEFT_OUT_B, SETTING_A, SETTING_B


def how_compared(groups: Mapping[str, Any], a: str, b: str, shown: Callable[[str], str] = str) -> Iterator[str]:
    """Yield that the sides of a difference had two settings, or that images were left out or drawn, where that is so.

    Args:
        groups: Of the difference, see ``HOW_COMPARED``.
        a: Label of one side.
        b: Label of the other.
        shown: How a label or a setting, which can be any text, is written.

    >>> list(how_compared({"left_out_a": 3, "equal_n": 60, "category": "counting"}, "sdxl", "flux"))
    ['over the images that both have, 3 of sdxl left out', 'at 60 images of each, drawn']
    >>> list(how_compared({"setting_a": "euler-50-g5", "setting_b": "euler-28-g3.5"}, "sdxl", "flux"))
    ['with the setting euler-50-g5 against euler-28-g3.5']
    """
    if SETTING_A in groups:
        yield f"with the setting {shown(str(groups[SETTING_A]))} against {shown(str(groups[SETTING_B]))}"
    sides = ((LEFT_OUT_A, a), (LEFT_OUT_B, b))
    left_out = [f"{groups[name]:,} of {shown(label)}" for name, label in sides if name in groups]
    if left_out:
        yield f"over the images that both have, {' and '.join(left_out)} left out"
    if EQUAL_N in groups:
        yield f"at {groups[EQUAL_N]:,} images of each, drawn"
