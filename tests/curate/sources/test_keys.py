import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.sources.keys import (
    as_hashes,
    is_among,
    key_text,
    later_rows,
    picture_hashes,
    read_keys,
    row_digests,
)


def keys_of(table: pa.Table) -> list[str]:
    return [key_text(digest, 0) for digest in row_digests(table, picture_hashes(table))]


def table_of(**columns: list[Any]) -> pa.Table:
    return pa.table(
        {name: pa.array(values, pa.binary() if name == "__bytes" else pa.string()) for name, values in columns.items()}
    )


def test_a_row_with_a_picture_is_known_by_the_sha256_of_the_picture_and_by_its_caption() -> None:
    rows = [
        (b"picture", "a cat", None),
        (b"picture", None, None),
        (b"picture", "", None),
        (b"other", "a cat", None),
        (b"picture", "a cat", "bad_row: x"),
    ]
    pictures, captions, problems = map(list, zip(*rows, strict=True))
    names = [f"{number}" for number in range(len(rows))]
    table = table_of(url=["u"] * len(rows), caption=captions, __problem=problems, __bytes=pictures, __name=names)
    one, other = (hashlib.sha256(content).hexdigest() for content in (b"picture", b"other"))
    texts = [f"{one}\na cat", f"{one}\n", f"{one}\n", f"{other}\na cat", f"{one}\na cat\nbad_row: x"]
    assert keys_of(table) == [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    assert picture_hashes(table) == [one, one, one, other, one]


def test_a_row_of_a_url_table_is_known_by_url_and_caption() -> None:
    table = pa.table(
        {
            "url": ["u", "u", None],
            "caption": ["c", None, None],
            "__problem": [None, None, "bad_row: x"],
            "width": [1, 2, 3],
        }
    )
    assert keys_of(table) == [hashlib.sha256(text).hexdigest()[:16] for text in (b"u\nc", b"u\n", b"\n\nbad_row: x")]


def test_a_row_without_picture_is_known_by_its_name_where_it_has_one() -> None:
    table = table_of(
        url=["u", "u"],
        caption=["c", "c"],
        __problem=["unreadable: no", "bad_row: x"],
        __bytes=[None, None],
        __name=["dir/1.jpg", None],
    )
    assert keys_of(table) == [hashlib.sha256(text).hexdigest()[:16] for text in (b"dir/1.jpg\nc", b"u\nc\nbad_row: x")]


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
