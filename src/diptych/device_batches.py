"""Batches that a device can hold: what is too large for its memory is given in halves, and remembered.

So a batch size is what is wanted at most, and each card of a machine takes what it can. Decides nothing about what is
done with a batch.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_HELD: dict[int, int] = {}  # items that fitted at most, by what computed them; of this process


def in_fitting_parts(compute: Callable[[Sequence[Item]], Result], items: Sequence[Item], owner: object) -> list[Result]:
    """Return what a function gives of items: of all at once, or of as many as the memory of its device holds.

    Args:
        compute: Called with at least one item.
        items: In their order.
        owner: What computes, such as a model; what did not fit once is not tried again with it.

    Raises:
        Exception: Of the function; also that its device has no memory for a single item.
    """
    results: list[Result] = []
    start = 0
    while start < len(items):
        part = items[start : start + _HELD.get(id(owner), len(items))]
        try:
            results.append(compute(part))
            start += len(part)
            continue
        except Exception as error:
            if len(part) == 1 or not is_device_full(error):
                raise
        # Only here, where nothing holds what was begun any more.
        _HELD[id(owner)] = (len(part) + 1) // 2
        sys.modules["torch"].cuda.empty_cache()
    return results


def is_device_full(error: BaseException) -> bool:
    """Return whether an error says that a GPU has no memory left."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)
