from collections.abc import Sequence

import pytest
import torch

from diptych.device_batches import in_fitting_parts

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB"


class Card:
    """Computes as many items at once as it holds."""

    def __init__(self, holds: int) -> None:
        self.holds = holds
        self.given: list[int] = []

    def double(self, items: Sequence[int]) -> list[int]:
        self.given.append(len(items))
        if len(items) > self.holds:
            raise torch.OutOfMemoryError(FULL)
        return [2 * item for item in items]


def test_what_does_not_fit_is_given_in_halves_and_never_again_so_large() -> None:
    card = Card(holds=5)
    found = in_fitting_parts(card.double, range(16), card)
    assert [item for part in found for item in part] == [2 * item for item in range(16)]
    assert card.given == [16, 8, 4, 4, 4, 4]
    card.given.clear()
    assert len(in_fitting_parts(card.double, range(6), card)) == 2
    assert card.given == [4, 2]


def test_a_single_item_that_does_not_fit_and_every_other_error_is_raised() -> None:
    card = Card(holds=0)
    with pytest.raises(torch.OutOfMemoryError, match="Tried to allocate"):
        in_fitting_parts(card.double, range(3), card)
    assert card.given == [3, 2, 1]

    def fail(items: Sequence[int]) -> None:
        raise ValueError(len(items))

    with pytest.raises(ValueError, match=r"^3$"):
        in_fitting_parts(fail, range(3), fail)
    assert in_fitting_parts(fail, [], fail) == []
