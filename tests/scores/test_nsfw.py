import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from savedmodel_writer import bundle, members, message, write_zip

from diptych import assets
from diptych.asset_table import ASSETS
from diptych.assets import file_sha256
from diptych.errors import ConfigError, DataError
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.nsfw import Head, index_by_float16, load_head, nsfw, punsafe, replace_by_indices
from diptych.scores.weight_formats.keras_savedmodel import read_bundle, read_savedmodel

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "nsfw.json").read_text(encoding="utf-8"))
ZIPS = {"l14": "clip_autokeras_binary_nsfw.zip", "b32": "clip_autokeras_nsfw_b32.zip"}
CATEGORIES = {
    "l14": {180: 10425, 316: 2266, 413: 2190, 440: 2293, 644: 2241},
    "b32": {92: 1566, 133: 747, 312: 745},
}

Vectors = npt.NDArray[np.float32]


@dataclass
class FixedEncoder:
    """Knows its length and name; its vectors are handed to the batch."""

    dim: int
    identity: Mapping[str, Any] = field(default_factory=lambda: {"encoder": "fixed"})


TINY: dict[str, Vectors] = {
    "layer_with_weights-1/mean": np.float32([1, 2]),
    "layer_with_weights-1/variance": np.float32([4, 0]),
    "layer_with_weights-2/kernel": np.float32([[1, -1], [0, 0]]),
    "layer_with_weights-2/bias": np.float32([0, 0.5]),
    "layer_with_weights-10/kernel": np.float32([[1], [2]]),
    "layer_with_weights-10/bias": np.float32([-3]),
}


def batch_of(encoder: Any, vectors: Vectors) -> Batch:
    count = len(vectors)
    image = pa.array([{"bytes": b"x", "path": "x"}] * count, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    columns = {"key": [str(row) for row in range(count)], "image": image, "caption": ["text"] * count}
    columns |= {"status": ["ok"] * count, "width": [1] * count, "height": [1] * count}
    batch = Batch(pa.record_batch(columns))
    batch.provide_embeddings(encoder, vectors)
    return batch


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "tiny.zip", members(TINY, {1: ("0.250000", "-0.500000")}))


@pytest.fixture(scope="module")
def heads(shared: Path) -> dict[str, Head]:
    return {name: load_head(shared / "real/weights/laion-clip-nsfw" / file) for name, file in ZIPS.items()}


@pytest.fixture(scope="module")
def converted(shared: Path) -> dict[str, dict[str, Vectors]]:
    folder = shared / "real/weights/laion-clip-nsfw"
    return {name: dict(np.load(folder / f"CONVERTED_nsfw_{name}.npz", allow_pickle=False)) for name in ZIPS}


@pytest.fixture(scope="module")
def real(shared: Path) -> dict[str, Vectors]:
    """Real CLIP embeddings of upstream projects: mean embeddings per rating level (L/14) and of seven photos (B/32)."""
    folder = shared / "real/weights/laion-aesthetic-predictor-v1/vit_l_14_embeddings"
    ratings = [np.load(folder / f"rating{level}.npy", allow_pickle=False).reshape(768) for level in range(10)]
    photos = np.load(
        shared / "real/photos/clip-retrieval/CONVERTED_clip_vit_b32_image_embeddings.npz", allow_pickle=False
    )
    return {"l14": np.float16(ratings).astype(np.float32), "b32": photos["image_embs"].astype(np.float32)}


def tables(head: Head) -> dict[int, Vectors]:
    return {dim: index_by_float16(vocabulary) for dim, vocabulary in head.vocabularies.items()}


def as_values_and_indices(head: Head, count: int) -> tuple[Vectors, Vectors]:
    """Draw inputs from the normaliser's statistics: with the values of the categories, and with their indices."""
    noise = np.random.default_rng(0).normal(size=(count, head.mean.size))
    indices = (noise * head.deviation + head.mean).astype(np.float32)
    values = indices.copy()
    for dim, vocabulary in head.vocabularies.items():
        indices[:, dim] = np.clip(np.rint(indices[:, dim]), 1, len(vocabulary))
        values[:, dim] = np.float32(vocabulary)[indices[:, dim].astype(int) - 1]
    return values, indices


# --- the numbers of a model that is known


def test_probability_of_a_small_head_is_what_its_layers_say(tiny: Path) -> None:
    # x0: (3 - 1) / 2 = 1 -> hidden (relu(1), relu(-1 + 0.5)) = (1, 0) -> 1 - 3 = -2; x1 does not count
    expected = 1 / (1 + np.exp(2))
    assert punsafe(np.float32([[3, 2]]), load_head(tiny)) == pytest.approx(expected, rel=1e-6)


def test_a_variance_of_zero_divides_by_the_epsilon_of_keras(tiny: Path) -> None:
    assert load_head(tiny).deviation.tolist() == pytest.approx([2.0, 1e-7])


def test_layers_are_ordered_by_number_and_not_by_text(tiny: Path) -> None:
    assert [kernel.shape for kernel, _ in load_head(tiny).layers] == [(2, 2), (2, 1)]


def test_extreme_logits_give_0_and_1_without_warnings() -> None:
    head = Head(np.float32([0]), np.float32([1]), ((np.float32([[1]]), np.float32([0])),), {})
    assert punsafe(np.float32([[-1e4], [1e4]]), head).tolist() == [0.0, 1.0]


def test_rows_that_are_not_finite_stay_nan_and_leave_the_others_alone(tiny: Path) -> None:
    head = load_head(tiny)
    rows = np.float32([[3, 2], [np.nan, np.nan], [np.inf, 0], [3, 2]])
    found = punsafe(rows, head)
    assert np.isnan(found).tolist() == [False, True, True, False]
    assert found[0] == found[3] == punsafe(rows[:1], head)[0]


def test_an_empty_batch_gives_an_empty_column(tiny: Path) -> None:
    assert punsafe(np.empty((0, 2), np.float32), load_head(tiny)).shape == (0,)


def test_values_become_their_index_from_1_and_unknown_values_0(tiny: Path) -> None:
    rows = np.float32([[7, 0.25], [7, -0.5], [7, 0.5], [7, -0.0], [7, np.nan]])
    replaced = replace_by_indices(rows, tables(load_head(tiny)))
    np.testing.assert_array_equal(replaced, np.float32([[7, 1], [7, 2], [7, 0], [7, 0], [7, np.nan]]))
    assert rows[0, 1] == 0.25


def test_values_are_looked_up_as_float16() -> None:
    table = index_by_float16((f"{float(np.float16(0.1)):f}",))
    assert replace_by_indices(np.float32([[0.1]]), {0: table}).tolist() == [[1.0]]


# --- the published heads


@pytest.mark.reference
@pytest.mark.parametrize("name", ZIPS)
def test_arrays_are_those_of_an_independent_conversion(
    name: str, heads: dict[str, Head], converted: dict[str, dict[str, Vectors]]
) -> None:
    head, expected = heads[name], converted[name]
    np.testing.assert_array_equal(head.mean, expected["mean"])
    np.testing.assert_array_equal(head.deviation, np.sqrt(expected["variance"]))
    assert len(expected) == 2 + 2 * len(head.layers)
    for number, (kernel, bias) in enumerate(head.layers):
        np.testing.assert_array_equal(kernel, expected[f"kernel{number}"])
        np.testing.assert_array_equal(bias, expected[f"bias{number}"])


@pytest.mark.reference
@pytest.mark.parametrize("name", ZIPS)
@pytest.mark.parametrize("vocabulary", [False, True])
def test_probabilities_are_those_of_torch_in_double_precision(
    name: str,
    vocabulary: bool,
    heads: dict[str, Head],
    converted: dict[str, dict[str, Vectors]],
    real: dict[str, Vectors],
) -> None:
    import torch

    rows = as_values_and_indices(heads[name], 200)[vocabulary]
    real_rows = replace_by_indices(real[name], tables(heads[name])) if vocabulary else real[name]
    rows = np.concatenate([rows, real_rows])
    arrays = {key: torch.from_numpy(values).double() for key, values in converted[name].items()}
    values = (torch.from_numpy(rows).double() - arrays["mean"]) / arrays["variance"].sqrt()
    layers = (len(arrays) - 2) // 2
    for number in range(layers):
        values = torch.nn.functional.linear(values, arrays[f"kernel{number}"].T, arrays[f"bias{number}"])
        values = values.relu() if number < layers - 1 else values.sigmoid()
    np.testing.assert_allclose(punsafe(rows, heads[name]), values[:, 0].numpy(), atol=2e-6)


@pytest.mark.parametrize("name", ZIPS)
def test_vocabularies_have_the_published_dimensions_and_sizes(name: str, heads: dict[str, Head]) -> None:
    found = {dim: len(vocabulary) for dim, vocabulary in heads[name].vocabularies.items()}
    assert found == CATEGORIES[name]


def test_each_vocabulary_value_is_found_under_its_own_index(heads: dict[str, Head]) -> None:
    for vocabulary in heads["l14"].vocabularies.values():
        bits = np.array(vocabulary, np.float16).view(np.uint16)
        np.testing.assert_array_equal(index_by_float16(vocabulary)[bits], np.arange(1, len(vocabulary) + 1))


def test_real_embeddings_lie_in_the_vocabularies_of_their_dimensions(
    heads: dict[str, Head], real: dict[str, Vectors]
) -> None:
    indices = replace_by_indices(real["b32"], tables(heads["b32"]))
    for dim, vocabulary in heads["b32"].vocabularies.items():
        assert [vocabulary[int(index) - 1] for index in indices[:, dim]] == [
            f"{value:f}" for value in real["b32"][:, dim]
        ]
    for dim, vocabulary in heads["l14"].vocabularies.items():
        assert np.sign(float(vocabulary[0])) == np.sign(np.median(real["l14"][:, dim]))


@pytest.mark.reference
def test_vocabulary_and_values_differ_as_much_as_an_independent_study_found(heads: dict[str, Head]) -> None:
    # Found there on inputs drawn alike: mean 0.021, 95th percentile 0.066, 2.4 % flips at 0.5, 0.6 % at 0.1.
    values, indices = as_values_and_indices(heads["l14"], 5000)
    np.testing.assert_array_equal(replace_by_indices(values, tables(heads["l14"])), indices)
    raw, looked_up = punsafe(values, heads["l14"]), punsafe(indices, heads["l14"])
    difference = np.abs(raw - looked_up)
    assert difference.mean() == pytest.approx(0.021, abs=0.002)
    assert np.quantile(difference, 0.95) == pytest.approx(0.066, abs=0.006)
    assert ((raw > 0.5) != (looked_up > 0.5)).mean() == pytest.approx(0.024, abs=0.006)
    assert ((raw > 0.1) != (looked_up > 0.1)).mean() == pytest.approx(0.006, abs=0.003)


def test_values_lie_where_unknown_categories_lie(heads: dict[str, Head]) -> None:
    values, _ = as_values_and_indices(heads["l14"], 2000)
    unknown = values.copy()
    unknown[:, list(CATEGORIES["l14"])] = 0
    assert np.abs(punsafe(values, heads["l14"]) - punsafe(unknown, heads["l14"])).max() < 1e-4


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: f"{case['head']}-{case['column']}")
def test_real_embeddings_have_their_golden_probabilities(case: Any, shared: Path, real: dict[str, Vectors]) -> None:
    rows = real[case["head"]]
    encoder = FixedEncoder(rows.shape[1])
    path = shared / "real/weights/laion-clip-nsfw" / ZIPS[case["head"]]
    score = nsfw(encoder=encoder, weights=str(path), vocabulary=case["column"] == "punsafe_laion")  # type: ignore[arg-type]
    found = score.score(batch_of(encoder, rows))
    assert list(found) == [case["column"]]
    np.testing.assert_allclose(found[case["column"]], case["expected"], rtol=1e-3)
    assert found[case["column"]].max() < 0.5


@pytest.mark.parametrize("vocabulary", [False, True])
def test_a_row_scores_the_same_alone_and_among_others(vocabulary: bool, heads: dict[str, Head]) -> None:
    rows = as_values_and_indices(heads["l14"], 64)[vocabulary]
    together = punsafe(rows, heads["l14"])
    np.testing.assert_allclose([punsafe(row[None], heads["l14"])[0] for row in rows], together, atol=1e-6)
    np.testing.assert_allclose(punsafe(rows[::-1], heads["l14"])[::-1], together, atol=1e-6)


# --- the score


def test_mode_and_weights_and_encoder_stand_in_the_identity(tiny: Path) -> None:
    encoder = FixedEncoder(2, {"encoder": "fixed", "weights_sha256": "abc"})
    values, looked_up = (
        make_score("nsfw", {"encoder": encoder, "weights": str(tiny), "vocabulary": on}) for on in (False, True)
    )
    assert values.identity["encoder"] == dict(encoder.identity)
    assert values.identity["weights_sha256"] == file_sha256(tiny)
    assert {score.identity["mode"] for score in (values, looked_up)} == {"values", "vocabulary"}
    assert [score.columns[0].name for score in (values, looked_up)] == ["punsafe", "punsafe_laion"]
    assert json.dumps(values.identity)
    assert values.reads == {"embedding"}


def test_a_row_without_an_image_is_nan_in_both_modes(tiny: Path) -> None:
    encoder = FixedEncoder(2)
    vectors = np.float32([[3, 0.25], [np.nan, np.nan]])
    for vocabulary in (False, True):
        score = nsfw(encoder=encoder, weights=str(tiny), vocabulary=vocabulary)  # type: ignore[arg-type]
        (column,) = score.score(batch_of(encoder, vectors)).values()
        assert column.dtype == np.float32
        assert np.isnan(column).tolist() == [False, True]


@pytest.mark.parametrize(("dim", "asset"), [(512, "laion-nsfw-b32"), (768, "laion-nsfw-l14")])
def test_without_weights_the_published_head_for_the_length_is_fetched(
    dim: int, asset: str, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIPTYCH_OFFLINE", "1")
    folder = shared / "real/weights/laion-clip-nsfw"
    files = {"laion-nsfw-b32": folder / ZIPS["b32"], "laion-nsfw-l14": folder / ZIPS["l14"]}
    monkeypatch.setattr(assets, "fetch", files.__getitem__)
    score = nsfw(encoder=FixedEncoder(dim))  # type: ignore[arg-type]
    assert score.head.mean.size == dim
    assert score.weights_sha256 == ASSETS[asset].sha256


@pytest.mark.parametrize(
    ("encoder", "told"),
    [
        (FixedEncoder(1024), ["1024", "512", "768"]),
        (FixedEncoder(512, {"architecture": "ViT-B-16-quickgelu"}), ["ViT-B-16", "ViT-B-32", "ViT-L-14"]),
    ],
)
def test_an_encoder_without_a_published_head_is_refused(encoder: Any, told: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        nsfw(encoder=encoder)
    assert all(text in str(caught.value) for text in told)


def test_a_head_for_another_length_is_refused_naming_both(tiny: Path) -> None:
    with pytest.raises(ConfigError, match=r"tiny\.zip takes vectors of 2 numbers and the encoder gives 512"):
        nsfw(encoder=FixedEncoder(512), weights=str(tiny))  # type: ignore[arg-type]


def test_vocabulary_mode_needs_vocabularies(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "plain.zip", members(TINY))
    with pytest.raises(ConfigError, match=r"plain\.zip has no vocabularies"):
        nsfw(encoder=FixedEncoder(2), weights=str(path), vocabulary=True)  # type: ignore[arg-type]


# --- damage


def damaged_zips() -> dict[str, bytes]:
    def zipped(files: Mapping[str, bytes], leave_out: str = "") -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in files.keys() - {leave_out}:
                archive.writestr(name, files[name])
        return buffer.getvalue()

    good = members(TINY, {1: ("0.250000", "-0.500000")})
    index, data = (name for name in good if "variables." in name)
    sound = zipped(good)
    flipped = bytearray(sound)
    flipped[sound.index(good_name := b"model/variables/variables.data-00000-of-00001") + len(good_name) + 9] ^= 0xFF
    two_files = bundle(TINY, shards=2)[0]
    compressed = bundle(TINY, compression=1)[0]
    no_mean = {name: values for name, values in TINY.items() if not name.endswith("mean")}
    misfit = {**TINY, "layer_with_weights-10/kernel": np.float32([[1], [2], [3]])}
    return {
        "is not a zip file": b"<html>404</html>",
        "File is not a zip": b"",
        "zip file$|not a zip": sound[:-40],
        "Bad CRC-32|Error -3": bytes(flipped),
        "There is no item named 'model/variables/variables.index'": zipped(good, leave_out=index),
        "There is no item named 'saved_model.pb'": zipped({"readme.txt": b"hello"}),
        "is not a LevelDB table": zipped({**good, index: good[index][:-1]}),
        "is compressed": zipped({**good, index: compressed}),
        "does not fit its shape": zipped({**good, data: good[data][:-4]}),
        "in several files": zipped({**good, index: two_files}),
        "has no variable": zipped({**good, index: bundle(TINY, float_type=2)[0]}),
        "would unpack to": zipped({**good, data: bytes(65 << 20)}),
        "more than 64 bits": zipped({**good, "model/saved_model.pb": b"\xff" * 30}),
        "ends behind its message": zipped({**good, "model/saved_model.pb": good["model/saved_model.pb"][:-1]}),
        "AttributeError": zipped({**good, "model/keras_metadata.pb": message((1, message((5, "[1]"))))}),
        "do not count from 1": zipped(members(TINY, {1: ("0.250000",)}, first_index=0)),
        "do not have the index 0": zipped(members(TINY, {1: ("0.250000",)}, unknown_index=1)),
        "has no variable 'layer_with_weights-1/mean'": zipped(members(no_mean)),
        "do not fit each other": zipped(members(misfit)),
    }


DAMAGED = damaged_zips()


@pytest.mark.parametrize("told", DAMAGED)
def test_a_damaged_file_is_a_data_error_that_names_it(told: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.zip"
    path.write_bytes(DAMAGED[told])
    with pytest.raises(DataError, match=told) as caught:
        load_head(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_a_data_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.zip"):
        read_savedmodel(tmp_path / "nowhere.zip")


@given(position=st.integers(0, len(bundle(TINY)[0]) - 1), value=st.integers(0, 255))
def test_any_damaged_byte_of_the_index_gives_arrays_or_the_named_errors(position: int, value: int) -> None:
    index, data = bundle(TINY)
    damaged = index[:position] + bytes([value]) + index[position + 1 :]
    try:
        found = read_bundle(damaged, data)
    except (ValueError, LookupError, OverflowError):
        return
    assert sum(array.nbytes for array in found.values()) <= len(data) * len(TINY)
