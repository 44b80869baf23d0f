import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_dataset import Row, good_rows, make_table, mixed_rows

from diptych.data.schema import data_schema
from diptych.encoders import make_encoder
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.clip_similarity import cosine

KITTENS = {"123_456", "456_123"}  # by eye


def similarity(rows: Batch) -> dict[str, np.ndarray]:
    encoder = make_encoder("projection", {"dim": 16})
    return make_score("clip_similarity", {"encoder": encoder}).score(rows)


def batch_of(rows: list[Row]) -> Batch:
    return Batch(make_table(rows).to_batches()[0])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1, 0], [2, 0], 1),
        ([1, 0], [-3, 0], -1),
        ([1, 0], [0, 5], 0),
        ([1, 1], [1, 0], 0.5**0.5),
        ([3, 4], [4, 3], 0.96),
    ],
)
def test_the_cosine_of_known_vectors(left: list[float], right: list[float], expected: float) -> None:
    found = cosine(np.array([left], np.float32), np.array([right], np.float32))
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(expected, abs=1e-7)


def test_the_cosine_with_a_zero_or_nan_row_is_nan() -> None:
    rows = np.array([[0, 0], [np.nan, 1], [1, 0]], np.float32)
    ones = np.ones((3, 2), np.float32)
    for found in (cosine(rows, ones), cosine(ones, rows)):
        assert np.isnan(found).tolist() == [True, True, False]
    assert cosine(ones[:0], ones[:0]).shape == (0,)


NUMBERS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=4, max_size=4)


@given(NUMBERS, NUMBERS)
def test_the_cosine_stays_in_its_range_and_is_symmetric(left: list[float], right: list[float]) -> None:
    rows = [np.array([vector], np.float32) for vector in (left, right)]
    found = cosine(*rows)
    assert np.isnan(found[0]) or -1 <= found[0] <= 1
    np.testing.assert_array_equal(found, cosine(*reversed(rows)))


@given(st.integers(1, 6), st.integers(0, 2**32))
def test_a_cosine_does_not_depend_on_its_neighbours(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    left, right = generator.standard_normal((2, count, 33)).astype(np.float32)
    alone = [cosine(left[row : row + 1], right[row : row + 1])[0] for row in range(count)]
    assert cosine(left, right).tolist() == alone


def test_a_row_without_image_or_caption_has_no_similarity() -> None:
    found = similarity(batch_of(mixed_rows()))
    assert np.isnan(found["clip_similarity"]).tolist() == [row in (1, 2, 4, 6, 9) for row in range(10)]
    assert found["reason"].tolist() == [None] * 6 + ["no_caption"] + [None] * 2 + ["no_caption"]
    truncated = [None if row in (6, 9) else row == 3 for row in range(10)]
    assert found["caption_truncated"].tolist() == truncated


def test_the_similarity_is_that_of_the_vectors_of_the_row() -> None:
    batch = batch_of(good_rows(4))
    encoder = make_encoder("projection", {"dim": 16})
    expected = cosine(batch.embeddings(encoder), batch.text_embeddings(encoder))
    found = make_score("clip_similarity", {"encoder": encoder}).score(batch)["clip_similarity"]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


def test_a_batch_without_rows_or_captions_is_scored() -> None:
    empty = Batch(pa.RecordBatch.from_pylist([], schema=data_schema()))
    assert {name: len(values) for name, values in similarity(empty).items()} == {
        "clip_similarity": 0,
        "caption_truncated": 0,
        "reason": 0,
    }
    alone = similarity(batch_of(mixed_rows()[6:7]))
    assert (alone["caption_truncated"].tolist(), alone["reason"].tolist()) == ([None], ["no_caption"])


def test_the_identity_is_that_of_the_encoder_and_the_version() -> None:
    scores = [make_score("clip_similarity", {"encoder": make_encoder("projection", {"seed": seed})}) for seed in (0, 1)]
    assert scores[0].identity != scores[1].identity
    assert scores[0].identity["encoder"] == dict(make_encoder("projection", {}).identity)
    assert scores[0].reads == {"embedding", "caption"}


@pytest.mark.reference
def test_real_vectors_of_kittens_are_nearest_to_cat_or_kitten(shared: Path) -> None:
    photos = np.load(shared / "real/photos/clip-retrieval/CONVERTED_clip_vit_b32_image_embeddings.npz")
    text = shared / "real/weights/detic-clip-b32-text"
    classes = np.load(text / "lvis_v1_clip_a+cname.npy").astype(np.float32)
    entries = json.loads((text / "lvis_v1_train_cat_info.json").read_text(encoding="utf-8"))
    names = [entry["name"] for entry in sorted(entries, key=lambda entry: entry["id"])]
    found = set()
    for name, vector in zip(photos["filename"].tolist(), photos["image_embs"].astype(np.float32), strict=True):
        values = cosine(np.broadcast_to(vector, classes.shape), classes)
        assert np.abs(values).max() < 0.35
        best = {names[index] for index in np.argsort(-values)[:2]}
        if best & {"cat", "kitten"}:
            found.add(name)
    assert found == KITTENS


def test_images_are_compared_with_any_column_of_texts() -> None:
    table = make_table(good_rows(4))
    captions = table["caption"].to_pylist()
    turned = table.append_column("plain", pa.array([None, *captions[:0:-1]], pa.string()))
    encoder = make_encoder("projection", {"dim": 16})
    batch = Batch(turned.combine_chunks().to_batches()[0])
    other, own = make_score("clip_similarity", {"encoder": encoder, "text": "plain"}), similarity(batch)
    found = other.score(batch)
    assert np.isnan(found["clip_similarity"][0])
    assert found["reason"][0] == "no_caption"
    as_captions = turned.set_column(turned.schema.get_field_index("caption"), "caption", turned["plain"])
    expected = similarity(Batch(as_captions.combine_chunks().to_batches()[0]))
    np.testing.assert_array_equal(found["clip_similarity"], expected["clip_similarity"])
    assert not np.allclose(found["clip_similarity"][1:], own["clip_similarity"][1:])
    plain = make_score("clip_similarity", {"encoder": encoder})
    assert {**other.identity, "text": "caption"} == {**plain.identity, "text": "caption"}
    assert other.identity != plain.identity
