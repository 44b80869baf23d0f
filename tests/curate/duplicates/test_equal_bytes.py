import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.duplicates.equal_bytes import ByteDigests

# Few values of each quarter, so that many digests agree in some of their words and differ in others.
digests = st.lists(st.sampled_from("ab0"), min_size=4, max_size=4).map(
    lambda words: "".join(word * 16 for word in words)
)


@given(st.lists(st.none() | digests, max_size=40), st.randoms(use_true_random=False), st.integers(1, 41))
def test_equal_digests_go_to_the_first_in_order_and_no_others(
    texts: list[str | None], random: object, cut: int
) -> None:
    order = np.array(random.sample(range(len(texts)), len(texts)), np.int32)  # type: ignore[attr-defined]
    rank = {int(row): place for place, row in enumerate(order)}
    found = ByteDigests(len(texts))
    column = pa.array(texts, pa.string())
    for start in range(0, len(texts), cut):
        found.put(start, column.slice(start, cut))
    for row, first in enumerate(found.first_of_equals(order).tolist()):
        same = [other for other, text in enumerate(texts) if text == texts[row]]
        assert first == (row if texts[row] is None else min(same, key=rank.__getitem__))


def test_digests_that_differ_in_their_last_digit_only_are_two_though_they_come_in_turns() -> None:
    texts = ["0" * 63 + str(row % 2) for row in range(6)]
    found = ByteDigests(6)
    found.put(0, pa.array(texts))
    assert found.first_of_equals(np.arange(6, dtype=np.int32)).tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("text", ["", "ab", "g" * 64, "0" * 65, "0" * 63 + "é"])
def test_what_is_no_sha256_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match="is not 64 hexadecimal digits") as caught:
        ByteDigests(2).put(0, pa.array(["0" * 64, text]))
    assert repr(text) in str(caught.value)


def test_upper_and_lower_digits_are_one_digest() -> None:
    found = ByteDigests(2)
    found.put(0, pa.array(["ab" * 32, "AB" * 32]))
    assert found.first_of_equals(np.arange(2, dtype=np.int32)).tolist() == [0, 0]
