from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import picture
from own_judges import own_boxes
from tiny_dataset import Row, good_rows, make_table, mixed_rows

from diptych.data import images
from diptych.data.shards import write_shard
from diptych.encoders import make_encoder
from diptych.encoders.projection import ProjectionEncoder
from diptych.errors import DataError
from diptych.judges.evidence import BOXES, Seen, evidence_table
from diptych.scores import batches
from diptych.scores.batches import Batch
from diptych.scores.loading import Needs
from diptych.scores.looks import look_with
from diptych.scores.shard_batches import iterate_batches

OK = [True, False, False, True, False, True, True, True, True, False]
REASONS = [None, "not_found", "truncated", None, "not_an_image", None, None, None, None, "timeout"]
PIXELS = Needs(pixels=True)
NOTHING = Needs()


def encoder(seed: int = 0) -> ProjectionEncoder:
    made = make_encoder("projection", {"dim": 8, "seed": seed})
    assert isinstance(made, ProjectionEncoder)
    return made


def lazy_batch(rows: Sequence[Row]) -> Batch:
    return Batch(make_table(rows).select([*batches.COLUMNS, "image"]))


def write(tmp_path: Path, rows: Sequence[Row]) -> Path:
    write_shard(make_table(rows), tmp_path / "00000.parquet")
    return tmp_path / "00000.parquet"


def cut(path: Path, batch_size: int, needs: Needs = NOTHING, threads: int = 2) -> list[Batch]:
    return list(iterate_batches(path, batch_size=batch_size, needs=needs, threads=threads))


@pytest.mark.parametrize("how", ["lazy", "pixels", "encoders"])
def test_a_row_has_an_image_and_a_vector_or_a_reason(tmp_path: Path, how: str) -> None:
    model = encoder()
    if how == "lazy":
        batch = lazy_batch(mixed_rows())
    else:
        needs = PIXELS if how == "pixels" else Needs(encoders={"own": model})
        (batch,) = cut(write(tmp_path, mixed_rows()), 64, needs)
    assert [batch.reason(row) for row in range(len(batch))] == REASONS
    assert np.isfinite(batch.embeddings(model)).all(axis=1).tolist() == OK
    if how != "encoders":
        assert [image is not None for image in batch.images()] == OK
        assert {(image.mode, image.size) for image in batch.images() if image} == {("RGB", (48, 32))}


def test_a_batch_gives_the_columns_as_they_are() -> None:
    batch = lazy_batch(mixed_rows())
    assert len(batch) == 10
    assert batch.keys[:2] == ["000000", "000001"]
    assert batch.captions == [row.caption for row in mixed_rows()]
    assert batch.bytes == [row.data for row in mixed_rows()]
    assert batch.statuses == [row.status for row in mixed_rows()]


def test_a_further_column_is_read_when_asked_for_and_lies_with_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fourth picture is as large as a batch may be, so that batches begin at odd rows.
    rows = [*good_rows(3), Row(picture(3), size=(1000, 1000)), *good_rows(3)]
    monkeypatch.setattr("diptych.scores.shard_batches.MAX_BATCH_BYTES", 3_000_000)
    words = pa.array([f"row {number}" if number != 5 else None for number in range(7)], pa.string())
    table = make_table(rows).append_column("expected", words)
    write_shard(table, tmp_path / "00000.parquet")
    opened: list[list[str]] = []
    real = pq.ParquetFile.read
    monkeypatch.setattr(
        pq.ParquetFile, "read", lambda self, columns: (opened.append(columns), real(self, columns=columns))[1]
    )
    found = cut(tmp_path / "00000.parquet", 2, PIXELS)
    assert opened == []
    assert [len(batch) for batch in found] == [2, 1, 1, 2, 1]
    assert [batch.column("expected") for batch in found] == [
        ["row 0", "row 1"],
        ["row 2"],
        ["row 3"],
        ["row 4", None],
        ["row 6"],
    ]
    assert found[1].column("key") == found[1].keys
    assert opened == [["expected"]]


def test_a_column_that_is_not_there_is_named_beside_those_that_are(tmp_path: Path) -> None:
    (batch,) = cut(write(tmp_path, good_rows(2)), 64)
    with pytest.raises(DataError, match=r"00000\.parquet: unknown column 'captoin'; did you mean 'caption'\? Known: "):
        batch.column("captoin")
    with pytest.raises(DataError, match=r"unknown column 'expected'.*Known: caption, "):
        lazy_batch(good_rows(2)).column("expected")


def test_each_image_is_decoded_once_however_often_it_is_asked_for(tmp_path: Path, decoded: list[bytes]) -> None:
    sound = [row.data for row in mixed_rows() if row.status == "ok"]
    needs = Needs(pixels=True, encoders={"a": encoder(), "b": encoder(1)})
    for batch in [lazy_batch(mixed_rows()), *cut(write(tmp_path, mixed_rows()), 64, needs)]:
        decoded.clear()
        if batch._futures is not None:
            batch._loaded()
            assert decoded == []
        batch.images()
        for model in needs.encoders.values():
            batch.embeddings(model)
            batch.embeddings(model)
        for row in range(len(batch)):
            batch.reason(row)
        assert sorted(decoded) == (sorted(sound) if batch._futures is None else [])


def test_asking_for_reasons_decodes_no_more_than_those_rows(decoded: list[bytes]) -> None:
    batch = lazy_batch(mixed_rows())
    assert [batch.reason(row) for row in (2, 4, 1, 2, 4)] == [REASONS[row] for row in (2, 4, 1, 2, 4)]
    assert decoded == [batch.bytes[2], batch.bytes[4]]


def test_what_a_judge_says_of_a_row_hides_no_status_and_is_no_reason_of_a_score_that_asks_another() -> None:
    batch = lazy_batch(mixed_rows())
    look = look_with(own_boxes(), BOXES)
    nothing = Seen([None] * len(batch), ["judge_failed"] * len(batch))
    batch.provide_evidence(look, evidence_table(BOXES, batch.keys, nothing))
    for _ in range(2):
        assert [batch.reason(row, [look]) for row in (0, 1, 2)] == ["judge_failed", "not_found", "judge_failed"]
        assert [batch.reason(row) for row in (0, 1, 2)] == [None, "not_found", "truncated"]
        batch.images()  # of another score of the run, which changes no reason


def test_nothing_is_decoded_for_who_reads_captions_or_has_vectors(tmp_path: Path, decoded: list[bytes]) -> None:
    model = encoder()
    (batch,) = cut(write(tmp_path, mixed_rows()), 64)
    vectors = np.ones((10, 8), np.float32)
    batch.provide_embeddings(model, vectors)
    assert batch.embeddings(model) is vectors
    assert batch.text_embeddings(model).shape == (10, 8)
    assert decoded == []


def test_batch_without_pictures_reads_one_only_to_say_why_it_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[bytes]
) -> None:
    monkeypatch.setattr("diptych.data.shards.MAX_ROW_GROUP_ROWS", 2)
    (batch,) = cut(write(tmp_path, mixed_rows()), 64)
    read: list[tuple[int, list[str]]] = []
    real = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_group",
        lambda self, group, columns: (read.append((group, columns)), real(self, group, columns=columns))[1],
    )
    assert [batch.reason(row) for row in (9, 1, 2, 4, 5)] == [REASONS[row] for row in (9, 1, 2, 4, 5)]
    assert read == [(1, ["image"]), (2, ["image"])], "the status of the first two says it already"
    assert len(decoded) == 3
    with pytest.raises(AssertionError, match="'bytes' in reads"):
        _ = batch.bytes
    with pytest.raises(AssertionError, match="'pixels' in reads"):
        batch.images()


def test_one_forward_pass_embeds_all_rows_that_have_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    real_images, real_texts = ProjectionEncoder.images, ProjectionEncoder.texts
    monkeypatch.setattr(ProjectionEncoder, "images", lambda self, x: (passes.append(len(x)), real_images(self, x))[1])
    monkeypatch.setattr(ProjectionEncoder, "texts", lambda self, x: (passes.append(-len(x)), real_texts(self, x))[1])
    batch, model = lazy_batch(mixed_rows()), encoder()
    for _ in range(3):
        batch.embeddings(model)
        batch.text_embeddings(model)
    assert passes == [6, -8]
    empty = lazy_batch([Row(None, None, "timeout")])
    assert np.isnan(empty.embeddings(model)).all()
    assert np.isnan(empty.text_embeddings(model)).all()
    assert passes == [6, -8], "an encoder is not called for nothing"


def test_vectors_are_rounded_as_they_are_stored() -> None:
    batch, model = lazy_batch(good_rows(5)), encoder()
    for vectors in (batch.embeddings(model), batch.text_embeddings(model)):
        assert (vectors.dtype, vectors.shape) == (np.dtype(np.float32), (5, 8))
        assert np.array_equal(vectors, vectors.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_vectors_of_two_encoders_are_kept_apart() -> None:
    batch, one, two = lazy_batch(good_rows(3)), encoder(), encoder(1)
    assert not np.allclose(batch.embeddings(one), batch.embeddings(two))
    assert np.array_equal(batch.embeddings(one), lazy_batch(good_rows(3)).embeddings(encoder()))


def test_a_fault_in_the_preprocessing_is_raised_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(self: ProjectionEncoder, image: images.Image) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(ProjectionEncoder, "prepare", prepare)
    model = encoder()
    (batch,) = cut(write(tmp_path, good_rows(2)), 64, Needs(encoders={"own": model}))
    with pytest.raises(ZeroDivisionError):
        batch.embeddings(model)


def test_a_score_that_did_not_say_what_it_reads_is_caught(tmp_path: Path) -> None:
    model, other = encoder(), encoder(1)
    (batch,) = cut(write(tmp_path, good_rows(2)), 64, Needs(encoders={"own": model}))
    with pytest.raises(AssertionError, match="'pixels' in reads"):
        batch.images()
    with pytest.raises(AssertionError, match="'embedding' in reads"):
        batch.embeddings(other)
