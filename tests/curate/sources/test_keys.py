import hashlib

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.sources.keys import (
    as_hashes,
    content_digests,
    is_among,
    key_text,
    later_rows,
    read_keys,
    text_digest,
)


def test_a_picture_is_known_by_the_first_digits_of_its_sha256() -> None:
    columns = {"url": [None], "caption": ["a cat"], "__problem": [None], "__bytes": [b"picture"], "__name": ["0"]}
    table = pa.table(
        {name: pa.array(values, pa.binary() if name == "__bytes" else pa.string()) for name, values in columns.items()}
    )
    key = key_text(content_digests(table)[0], 0)
    assert key == hashlib.sha256(b"picture").hexdigest()[:16]


def test_a_row_of_a_url_table_is_known_by_url_and_caption() -> None:
    table = pa.table(
        {
            "url": ["u", "u", None],
            "caption": ["c", None, None],
            "__problem": [None, None, "bad_row: x"],
            "width": [1, 2, 3],
        }
    )
    expected = [hashlib.sha256(text).digest() for text in (b"u\nc", b"u\n", b"\n\nbad_row: x")]
    assert content_digests(table) == expected


def test_a_row_without_picture_is_known_by_its_name_where_it_has_one() -> None:
    assert text_digest(None, "a caption", "unreadable: no", "dir/1.jpg") == hashlib.sha256(b"dir/1.jpg").digest()


@given(st.lists(st.integers(0, 5)))
def test_ordinals_count_the_equal_rows_before(values: list[int]) -> None:
    hashes = np.array(values, np.uint64)
    found = dict(zip(*(part.tolist() for part in later_rows(hashes)), strict=True))
    assert found == {row: values[:row].count(value) for row, value in enumerate(values) if value in values[:row]}


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 10**9)), min_size=1))
def test_keys_are_read_back_as_what_they_are_made_of(pairs: list[tuple[int, int]]) -> None:
    keys = [key_text(number.to_bytes(8, "big"), ordinal) for number, ordinal in pairs]
    hashes, ordinals = read_keys(pa.chunked_array([keys]))
    assert list(zip(hashes.tolist(), ordinals.tolist(), strict=True)) == pairs
    assert as_hashes([bytes.fromhex(key[:16]) for key in keys]).tolist() == hashes.tolist()


@given(st.lists(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_membership_is_that_of_a_set(values: list[int], known: set[int]) -> None:
    found = is_among(np.array(values, np.uint64), np.array(sorted(known), np.uint64))
    assert found.tolist() == [value in known for value in values]
