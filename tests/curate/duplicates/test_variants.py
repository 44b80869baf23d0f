import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.curate.duplicates import buckets, crowds, variants
from diptych.curate.duplicates.hamming import Rows
from diptych.curate.duplicates.stars import star_clusters
from diptych.curate.duplicates.variants import Confirm, Mask, confirmed_stars

Hashes = npt.NDArray[np.uint64]
FAR = np.uint64(0xFFFF_FFFF_0000_0000)


def claim_one_by_one(hashes: Hashes, has_hash: Mask, radius: int, order: Rows, colour: Rows) -> list[int]:
    """Return representatives by the definition; rows of different colours are never confirmed."""

    def is_near(left: int, right: int) -> bool:
        pairs = [(0, variant) for variant in range(len(hashes))] + [(variant, 0) for variant in range(len(hashes))]
        return any(
            has_hash[a, left]
            and has_hash[b, right]
            and (int(hashes[a, left]) ^ int(hashes[b, right])).bit_count() <= radius
            for a, b in pairs
        )

    representative = list(range(hashes.shape[1]))
    unclaimed = [row for row in order.tolist() if has_hash[0, row]]
    while unclaimed:
        star, *rest = unclaimed
        claimed = {row for row in rest if colour[row] == colour[star] and is_near(star, row)}
        for row in claimed:
            representative[row] = star
        unclaimed = [row for row in rest if row not in claimed]
    return representative


def same_colour(colour: Rows) -> Confirm:
    return lambda row, others: colour[others] == colour[row]


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Hashes, Mask, Rows, Rows]:
    """Hashes of rows and their variants of which many are equal or near, an order, and a colour of each row."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds, rows = draw(st.integers(1, 4)), draw(st.integers(0, 40))
    centres = rng.integers(2**64, size=draw(st.integers(1, 4)), dtype=np.uint64)
    share = draw(st.sampled_from([0.0, 0.02, 0.05]))
    noise = np.packbits(rng.random((kinds * rows, 64)) < share, axis=1).view(np.uint64).reshape(kinds, rows)
    has_hash = rng.random((kinds, rows)) < draw(st.sampled_from([0.6, 1.0]))
    colour = rng.integers(draw(st.integers(1, 3)), size=rows)
    return rng.choice(centres, (kinds, rows)) ^ noise, has_hash, rng.permutation(rows), colour


@pytest.mark.parametrize("crowded", [False, True])
@given(pictures(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_rows_are_claimed_as_by_the_definition(
    crowded: bool, made: tuple[Hashes, Mask, Rows, Rows], radius: int
) -> None:
    hashes, has_hash, order, colour = made
    with pytest.MonkeyPatch.context() as patch:
        if crowded:  # so that few pairs are held, and candidates come from crowds
            patch.setattr(buckets, "CROWD_ROWS", 2)
            patch.setattr(buckets, "CROWD_RATIO", 0)
            patch.setattr(crowds, "CROWD_NEIGHBOURS", 0)
            patch.setattr(crowds, "CROWD_SAMPLE_HITS", 0)
            patch.setattr(crowds, "HELD_PAIRS", 3)
            patch.setattr(crowds, "HELD_PAIRS_PER_ROW", 0)
            patch.setattr(variants, "REPORT_ROWS", 7)
        found = confirmed_stars(hashes, has_hash, radius, order=order, make_confirm=lambda _rows: same_colour(colour))
    assert found.tolist() == claim_one_by_one(hashes, has_hash, radius, order, colour)


@given(pictures(), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_without_variants_and_confirmation_it_is_what_clusters_say(
    made: tuple[Hashes, Mask, Rows, Rows], radius: int
) -> None:
    hashes, has_hash, order, _ = made
    expected = star_clusters(hashes[0], radius, order=order, valid=has_hash[0], workers=1)
    assert confirmed_stars(hashes[:1], has_hash[:1], radius, order=order).tolist() == expected.tolist()


def test_variants_of_two_rows_that_are_alike_make_no_link() -> None:
    hashes = np.array([[0, FAR], [7, 7]], np.uint64)
    assert confirmed_stars(hashes, np.ones((2, 2), bool), 0, order=np.arange(2)).tolist() == [0, 1]


def test_copy_of_a_copy_stays_where_it_is_not_like_the_row_that_stays() -> None:
    hashes = np.array([[0b0000, 0b0011, 0b1111]], np.uint64)
    assert confirmed_stars(hashes, np.ones((1, 3), bool), 2, order=np.arange(3)).tolist() == [0, 0, 2]


def test_all_rows_that_will_be_asked_about_are_announced() -> None:
    announced: list[int] = []
    asked: set[int] = set()

    def make_confirm(rows: Rows) -> Confirm:
        announced.extend(rows.tolist())

        def confirm(row: int, others: Rows) -> Mask:
            asked.update([row, *others.tolist()])
            return np.zeros(len(others), bool)

        return confirm

    hashes = np.array([[1, 1, FAR, 3, FAR ^ np.uint64(255 << 20)]], np.uint64)
    found = confirmed_stars(hashes, np.ones((1, 5), bool), 1, order=np.arange(5), make_confirm=make_confirm)
    assert found.tolist() == list(range(5))
    assert announced == [0, 1, 3] == sorted(asked)


def test_crowd_of_equal_pictures_is_claimed_at_once() -> None:
    rows = 100_000
    rng = np.random.default_rng(0)
    flat = np.uint64(1) << rng.integers(64, size=rows, dtype=np.uint64)  # all within two bits of one another
    calls = []

    def confirm(row: int, others: Rows) -> Mask:
        calls.append(row)
        return np.ones(len(others), bool)

    found = confirmed_stars(
        np.stack([flat, flat]), np.ones((2, rows), bool), 2, order=np.arange(rows), make_confirm=lambda _rows: confirm
    )
    assert not found.any()
    assert calls == [0]
