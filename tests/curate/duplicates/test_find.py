from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sealed import seal_dataset

from diptych.curate.config import Confirm, Dedup, Semantic
from diptych.curate.duplicates.find import DedupRun, dedup
from diptych.data.dataset import ColumnSet
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.data.table import DatasetTable
from diptych.errors import ConfigError, DataError, ShardError
from diptych.scores.tables import embedding_table

FAR = 0xFFFF_FFFF_0000_0000


def make_columns(path: Path, rows: list[tuple[str | None, int | None, int]]) -> DatasetTable:
    """Make a dataset from (bytes, hash, width); a row without bytes was not downloaded."""
    schema = data_schema()
    records = [
        {
            "key": f"{number}",
            "sha256": sha256(data.encode()).hexdigest() if data else None,
            "width": width,
            "height": 10,
            "status": "ok" if data else "not_found",
        }
        for number, (data, _, width) in enumerate(rows)
    ]
    table = pa.Table.from_pylist(records, schema=schema)
    cuts = [(0, 3), (3, len(rows) - 3)] if len(rows) > 3 else [(0, len(rows))]
    infos = [
        write_shard(table.slice(start, count), path / "data" / shard_name(index))
        for index, (start, count) in enumerate(cuts)
    ]
    dataset = seal_dataset(path, infos, {"kind": "pairs", "name": "test"})
    hashes = pa.array([value for _, value, _ in rows], pa.uint64())
    growing = GrowingSet(dataset, "scores", "hashes-0", {"score": "hashes"})
    growing.begin()
    for (start, count), shard, file in zip(cuts, dataset.shards, dataset.files, strict=True):
        part = pa.table({"key": read_shard(file, ["key"])["key"], "phash": hashes.slice(start, count)})
        growing.commit(write_shard(part, growing.location / shard.name, source=shard.sha256))
    return DatasetTable(dataset, {"hashes": growing.seal({"columns": [{"name": "phash", "dtype": "uint64"}]})})


def make_variants(
    path: Path, rows: list[tuple[int, int, tuple[float, float] | None]]
) -> tuple[DatasetTable, ColumnSet]:
    """Make a dataset from (hash, hash of the mirrored picture, vector), the first rows preferred."""
    columns = make_columns(path, [(f"s{number}", own, 100 - number) for number, (own, _, _) in enumerate(rows)])
    dataset, found = columns.dataset, {}
    mirrored = pa.array([value for _, value, _ in rows], pa.uint64())
    vectors = np.array([vector or (np.nan, np.nan) for *_, vector in rows], np.float32)
    for folder, name in (("scores", "mirrored-0"), ("embeddings", "clip-0")):
        growing = GrowingSet(dataset, folder, name, {"name": name})
        growing.begin()
        start = 0
        for shard, file in zip(dataset.shards, dataset.files, strict=True):
            keys = read_shard(file, ["key"])["key"].to_pylist()
            part = slice(start, start + shard.rows)
            if folder == "scores":
                table = pa.table({"key": keys, "phash_mirrored": mirrored[part]})
            else:
                table = embedding_table(keys, vectors[part])
            growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
            start += shard.rows
        found[folder] = growing.seal({"columns": [{"name": "phash_mirrored", "dtype": "uint64"}]})
    return DatasetTable(dataset, {**columns.sets, "mirrored": found["scores"]}), found["embeddings"]


def duplicates(run: DedupRun) -> dict[int, tuple[int, str]]:
    rows = [row for file in run.decisions.files for row in read_shard(file).to_pylist()]
    assert all(row["keep"] == (row["duplicate_of"] is None) == (row["reason"] is None) for row in rows)
    return {int(row["key"]): (int(row["duplicate_of"]), row["reason"]) for row in rows if not row["keep"]}


def test_copies_go_to_the_preferred_row_and_say_how_they_are_copies(tmp_path: Path) -> None:
    rows = [("a", 0, 100), ("a", 0, 100), ("b", 0b11, 200), ("c", FAR, 50), ("d", 0, 20)]
    run = dedup(make_columns(tmp_path, rows), Dedup(perceptual="phash", radius=2))
    assert duplicates(run) == {
        0: (2, "near_duplicate"),
        1: (2, "near_duplicate"),
        4: (2, "near_duplicate"),
    }
    assert run.facts == {"exact": 0, "near": 3, "largest": 4, "largest_key": "2", "alarm": False}


def test_the_order_of_preference_is_any_sql_and_ties_go_to_the_earlier_row(tmp_path: Path) -> None:
    rows = [("a", 0, 100), ("b", 0, 100), ("c", 0, 100), ("d", 0, 10)]
    columns = make_columns(tmp_path, rows)
    assert set(duplicates(dedup(columns, Dedup(perceptual="phash")))) == {1, 2, 3}
    smallest = dedup(columns, Dedup(perceptual="hashes.phash", prefer="width"))
    assert smallest.is_new
    assert set(duplicates(smallest)) == {0, 1, 2}


@pytest.mark.parametrize("order", ["sha256 DESC", "width, sha256", "lower(key)"])
def test_text_is_no_order_of_preference_unless_that_is_said(order: str, tmp_path: Path) -> None:
    columns = make_columns(tmp_path, [("9", 0, 9), ("1000", 0, 1000)])
    with pytest.raises(ConfigError, match=r"prefer: .* is text, in which 9 comes after 1000; say TRY_CAST"):
        dedup(columns, Dedup(perceptual="phash", prefer=order))
    assert set(duplicates(dedup(columns, Dedup(perceptual="phash", prefer="TRY_CAST(width AS DOUBLE) DESC")))) == {0}
    assert set(duplicates(dedup(columns, Dedup(perceptual="phash", prefer="key COLLATE C DESC")))) == {0}


def test_chains_are_not_followed(tmp_path: Path) -> None:
    rows = [("a", 0b0000, 30), ("b", 0b0011, 20), ("c", 0b1111, 10)]
    run = dedup(make_columns(tmp_path, rows), Dedup(perceptual="phash", radius=2))
    assert duplicates(run) == {1: (0, "near_duplicate")}


def test_rows_that_failed_or_have_no_hash_are_nobodys_copy_unless_their_bytes_are(tmp_path: Path) -> None:
    rows = [(None, None, 1), (None, None, 1), ("a", None, 1), ("a", None, 1), ("b", None, 1)]
    run = dedup(make_columns(tmp_path, rows), Dedup(perceptual="phash"))
    assert duplicates(run) == {3: (2, "exact_duplicate")}


def test_mirrored_copy_is_found_by_the_hash_of_the_mirrored_picture(tmp_path: Path) -> None:
    rows = [(0b0001, 0b1000, None), (0b1000, 0b0001, None), (FAR, FAR ^ 0xFFFF, None), (FAR ^ 0xFFFF, FAR, None)]
    columns, _ = make_variants(tmp_path, rows)  # type: ignore[arg-type]
    assert duplicates(dedup(columns, Dedup(perceptual="phash", radius=0))) == {}
    both = Dedup(perceptual="phash", variants=("mirrored.phash_mirrored",), radius=0)
    assert duplicates(dedup(columns, both)) == {1: (0, "near_duplicate"), 3: (2, "near_duplicate")}


def test_pictures_that_look_alike_to_a_hash_stay_where_their_vectors_differ(tmp_path: Path) -> None:
    vectors = [(1.0, 0.0), (0.0, 1.0), (0.0, 2.0), None, (3.0, 0.3), (0.0, 0.0)]
    columns, stored = make_variants(tmp_path, [(0, 0, vector) for vector in vectors])
    settings = Dedup(perceptual="phash", confirm=Confirm(encoder="clip", cosine=0.99))
    run = dedup(columns, settings, {"clip": stored})
    # Row 3 has no vector and row 5 one without direction: nobody can say that they are copies.
    assert duplicates(run) == {2: (1, "near_duplicate"), 4: (0, "near_duplicate")}
    assert duplicates(dedup(columns, Dedup(perceptual="phash"), {"clip": stored})).keys() == {1, 2, 3, 4, 5}


def test_equal_bytes_need_no_confirmation_and_follow_their_picture(tmp_path: Path) -> None:
    columns = make_columns(tmp_path, [("a", 0, 9), ("b", 0, 8), ("b", 0, 8), ("c", 0, 7)])
    growing = GrowingSet(columns.dataset, "embeddings", "clip-0", {"name": "clip"})
    growing.begin()
    vectors = np.array([[1, 0], [1, 0.01], [0, 1], [0, 1]], np.float32)  # the third, a copy by bytes, is not looked at
    start = 0
    for shard in columns.dataset.shards:
        part = slice(start, start + shard.rows)
        table = embedding_table([str(row) for row in range(part.start, part.stop)], vectors[part])
        growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
        start += shard.rows
    settings = Dedup(perceptual="phash", confirm=Confirm(encoder="clip", cosine=0.9))
    run = dedup(columns, settings, {"clip": growing.seal({})})
    assert duplicates(run) == {1: (0, "near_duplicate"), 2: (0, "near_duplicate")}


def test_confirmation_by_other_vectors_or_another_cosine_is_decided_anew(tmp_path: Path) -> None:
    columns, stored = make_variants(tmp_path, [(0, 0, (1.0, 0.0)), (0, 0, (1.0, 0.5))])
    strict, loose = (Dedup(perceptual="phash", confirm=Confirm(encoder="clip", cosine=c)) for c in (0.99, 0.5))
    first = dedup(columns, strict, {"clip": stored})
    assert (first.facts["near"], first.is_new) == (0, True)
    assert not dedup(columns, strict, {"clip": stored}).is_new
    other = replace(stored, manifest={**stored.manifest, "identity": {"name": "another"}})
    assert dedup(columns, strict, {"clip": other}).is_new
    assert dedup(columns, loose, {"clip": stored}).facts["near"] == 1


def test_vectors_of_which_a_bit_is_flipped_confirm_nothing(tmp_path: Path) -> None:
    columns, stored = make_variants(tmp_path, [(0, 0, (1.0, 0.0)), (0, 0, (1.0, 0.5))])
    whole = bytearray(stored.files[0].read())
    whole[len(whole) // 2] ^= 1
    stored.files[0].path.write_bytes(whole)
    with pytest.raises(ShardError, match=r"clip-0.*damaged"):
        dedup(columns, Dedup(perceptual="phash", confirm=Confirm(encoder="clip", cosine=0.9)), {"clip": stored})


def test_variants_and_confirmation_without_a_hash_are_refused() -> None:
    for change in ({"variants": ["phash_mirrored"]}, {"confirm": {"encoder": "clip", "cosine": 0.9}}):
        with pytest.raises(ValueError, match=r"goes? with a perceptual hash"):
            Dedup.model_validate(change)


def test_exact_alone_needs_no_hash(tmp_path: Path) -> None:
    columns = make_columns(tmp_path, [("a", 0, 1), ("b", 0, 1), ("a", 9, 1)])
    assert duplicates(dedup(columns, Dedup())) == {2: (0, "exact_duplicate")}


def test_a_second_time_returns_what_was_found(tmp_path: Path) -> None:
    columns = make_columns(tmp_path, [("a", 0, 1), ("a", 0, 1)])
    first, again = dedup(columns, Dedup()), dedup(columns, Dedup())
    assert (first.is_new, again.is_new) == (True, False)
    assert first.facts == again.facts
    assert (first.facts["exact"], first.facts["largest_key"]) == (1, "0")


def test_a_large_cluster_rings_the_alarm(tmp_path: Path) -> None:
    rows: list[tuple[str | None, int | None, int]] = [(f"s{number}", 0, 1) for number in range(60)]
    run = dedup(make_columns(tmp_path, rows), Dedup(perceptual="phash"))
    assert run.facts["alarm"]
    assert run.facts["largest"] == 60


@pytest.mark.parametrize(
    "change",
    [
        {"perceptual": "phsah"},
        {"perceptual": "phash", "variants": ["phsah"]},
        {"prefer": "widht DESC"},
        {"prefer": "width); SELECT (1"},
    ],
)
def test_a_wrong_column_is_one_line_that_names_it(change: dict[str, object], tmp_path: Path) -> None:
    columns = make_columns(tmp_path, [("a", 0, 1), ("a", 0, 1)])
    with pytest.raises(ConfigError, match="dedup: ") as caught:
        dedup(columns, Dedup.model_validate(change))
    assert "\n" not in str(caught.value)


def test_a_hash_that_fails_on_a_value_only_is_one_line_that_names_it(tmp_path: Path) -> None:
    columns = make_columns(tmp_path, [("a", 0, 1), ("b", 0, 1)])
    with pytest.raises(ConfigError, match=r"dedup: .*'0x'.*perceptual, variants: key \|\| 'x'") as caught:
        dedup(columns, Dedup(perceptual="key || 'x'"))
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_sha256_are_refused(tmp_path: Path) -> None:
    columns = make_columns(tmp_path, [("a", 0, 1), ("b", 0, 1)])
    dataset = columns.dataset
    table = read_shard(dataset.files[0])
    table = table.set_column(table.schema.get_field_index("sha256"), "sha256", pa.array(["xyz", None], pa.string()))
    infos = [write_shard(table, tmp_path / "other" / "data" / shard_name(0))]
    other = seal_dataset(tmp_path / "other", infos, {})
    with pytest.raises(DataError, match=r"other: sha256 'xyz' is not 64 hexadecimal digits"):
        dedup(DatasetTable(other, {}), Dedup())


SEMANTIC = {"encoder": "clip", "cosine": 0.9}


def test_a_copy_by_hash_of_a_row_that_goes_stays_unless_it_is_alike_to_the_row_that_stays(tmp_path: Path) -> None:
    vectors = [(1.0, 0.0), (1.0, 0.1), (1.0, 0.2), (0.0, 1.0), (-1.0, 0.0), None]
    # The first row stays; the second is alike to it, and the hash takes all of the others for copies of the second.
    columns, stored = make_variants(tmp_path, [(FAR if not row else 0, 0, each) for row, each in enumerate(vectors)])
    run = dedup(columns, Dedup(perceptual="phash", semantic=Semantic.model_validate(SEMANTIC)), {"clip": stored})
    assert duplicates(run) == {
        1: (0, "semantic_duplicate"),
        2: (0, "semantic_duplicate"),
        4: (3, "near_duplicate"),
        5: (3, "near_duplicate"),
    }
    assert (run.facts["near"], run.facts["semantic"]) == (2, 2)


@pytest.mark.parametrize(("keep", "stays"), [("preferred", 0), ("farthest", 2), ("nearest", 1)])
def test_the_row_that_is_to_stay_has_the_first_place(keep: str, stays: int, tmp_path: Path) -> None:
    columns, stored = make_variants(tmp_path, [(0, 0, (1.0, 0.0)), (1, 0, (1.0, 0.1)), (2, 0, (1.0, 0.3))])
    settings = Dedup(semantic=Semantic.model_validate({**SEMANTIC, "keep": keep}))
    run = dedup(columns, settings, {"clip": stored})
    assert set(duplicates(run)) == {0, 1, 2} - {stays}
    places = [row["rank"] for file in run.decisions.files for row in read_shard(file).to_pylist()]
    assert int(np.argmin(places)) == stays


def test_every_copy_is_what_it_is_called_of_the_row_that_stays(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    middles = chance.normal(size=(25, 2))
    rows = [
        (int(chance.integers(1 << 5)), 0, tuple(middles[chance.integers(25)] + 0.05 * chance.normal(size=2)))
        for _ in range(150)
    ]
    columns, stored = make_variants(tmp_path, rows)  # type: ignore[arg-type]
    settings = Dedup(perceptual="phash", radius=1, semantic=Semantic.model_validate(SEMANTIC))
    found = duplicates(dedup(columns, settings, {"clip": stored}))
    vectors = np.array([vector for _, _, vector in rows], np.float16).astype(np.float64)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert {reason for _, reason in found.values()} == {"near_duplicate", "semantic_duplicate"}
    for row, (stays, reason) in found.items():
        assert stays not in found
        if reason == "near_duplicate":
            assert (rows[row][0] ^ rows[stays][0]).bit_count() <= 1
        else:
            assert units[row] @ units[stays] >= 0.9 - 1e-9
