import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_dataset import make_table, mixed_rows

from diptych.asset_table import ASSETS
from diptych.assets import file_sha256
from diptych.encoders.open_clip_source import OF_FOLDER
from diptych.errors import ConfigError, DataError
from diptych.scores import make_score
from diptych.scores.aesthetic import LinearHead, aesthetic, load_head, rate, read_layers
from diptych.scores.batches import Batch

V1 = "real/weights/laion-aesthetic-predictor-v1"
V2 = "real/weights/improved-aesthetic-predictor/sac+logos+ava1-l14-linearMSE.pth"


@dataclass
class NamedEncoder:
    """Knows its length and name; its vectors are handed to the batch."""

    dim: int
    identity: Mapping[str, Any] = field(default_factory=lambda: {"encoder": "named"})


def openai(architecture: str, dim: int) -> NamedEncoder:
    return NamedEncoder(dim, {"encoder": "open_clip", "architecture": architecture, "quick_gelu": True})


def save(path: Path, *layers: tuple[int, int], names: list[str] | None = None) -> Path:
    """Save linear layers of the given (inputs, outputs)."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, (inputs, outputs) in zip(names or [f"layers.{n}." for n in range(len(layers))], layers, strict=True):
        state[f"{name}weight"] = torch.randn(outputs, inputs, generator=generator)
        state[f"{name}bias"] = torch.randn(outputs, generator=generator)
    torch.save(state, path)
    return path


def real_embeddings(shared: Path, name: str) -> np.ndarray:
    """Return one real embedding for each rating from 0 to 9."""
    return np.concatenate([np.load(shared / V1 / name / f"rating{rating}.npy") for rating in range(10)])


@pytest.mark.parametrize(
    ("head", "embeddings"),
    [
        (V2, "vit_l_14_embeddings"),
        (f"{V1}/sa_0_4_vit_l_14_linear.pth", "vit_l_14_embeddings"),
        (f"{V1}/sa_0_4_vit_b_32_linear.pth", "vit_b_32_embeddings"),
    ],
)
def test_real_embeddings_of_rising_ratings_are_rated_higher_and_higher(
    shared: Path, head: str, embeddings: str
) -> None:
    ratings = rate(real_embeddings(shared, embeddings), load_head(shared / head))
    assert (np.diff(ratings) > 0).all()
    assert ratings.dtype == np.float32


@pytest.mark.reference
def test_the_folded_head_is_the_layered_network(shared: Path) -> None:
    network = torch.nn.Sequential(*[torch.nn.Linear(*reversed(weight.shape)) for weight, _ in read_layers(shared / V2)])
    for module, (weight, bias) in zip(network, read_layers(shared / V2), strict=True):
        module.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    assert [module.out_features for module in network] == [1024, 128, 64, 16, 1]
    vectors = np.random.default_rng(0).standard_normal((500, 768)).astype(np.float32)
    vectors = np.concatenate([vectors, real_embeddings(shared, "vit_l_14_embeddings")])
    with torch.no_grad():
        expected = network(torch.nn.functional.normalize(torch.from_numpy(vectors), dim=1))[:, 0].numpy()
    np.testing.assert_allclose(rate(vectors, load_head(shared / V2)), expected, atol=1e-5)


@pytest.mark.reference
def test_the_folded_head_has_the_measured_bias_and_length(shared: Path) -> None:
    head = load_head(shared / V2)
    assert head.weight.shape == (768,)
    assert head.bias == pytest.approx(5.23664584, abs=1e-6)
    assert np.linalg.norm(head.weight) == pytest.approx(17.9956, abs=1e-4)


@pytest.mark.reference
def test_a_version_1_head_is_one_layer_on_the_normalised_embedding(shared: Path) -> None:
    layer = torch.nn.Linear(768, 1)
    layer.load_state_dict(torch.load(shared / V1 / "sa_0_4_vit_l_14_linear.pth", map_location="cpu"))
    vectors = real_embeddings(shared, "vit_l_14_embeddings")
    with torch.no_grad():
        expected = layer(torch.from_numpy(vectors))[:, 0].numpy()
    found = rate(vectors * 7, load_head(shared / V1 / "sa_0_4_vit_l_14_linear.pth"))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_rating_is_the_product_with_the_normalised_row() -> None:
    head = LinearHead(np.array([1.0, 2.0]), 0.5)
    rows = np.array([[3, 4], [30, 40], [0, 0], [np.nan, 1]], np.float32)
    np.testing.assert_allclose(rate(rows, head), [2.7, 2.7, 0.5, np.nan], atol=1e-6)
    assert rate(rows[:0], head).shape == (0,)


def test_a_rating_does_not_depend_on_the_batch() -> None:
    generator = np.random.default_rng(0)
    head = LinearHead(generator.standard_normal(768), 0.1)
    rows = generator.standard_normal((65, 768)).astype(np.float32)
    whole = rate(rows, head)
    for size in (1, 3, 64):
        parts = [rate(rows[start : start + size], head) for start in range(0, len(rows), size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_rows_without_an_image_have_no_rating(tmp_path: Path) -> None:
    score = make_score(
        "aesthetic", {"encoder": NamedEncoder(4), "weights": str(save(tmp_path / "h.pth", (4, 1))), "version": "v1"}
    )
    batch = Batch(make_table(mixed_rows()[:3]).to_batches()[0])
    vectors = np.ones((3, 4), np.float32)
    vectors[1] = np.nan
    batch.provide_embeddings(score.encoder, vectors)  # type: ignore[arg-type]
    found = score.score(batch)
    assert list(found) == ["aesthetic_v1"]
    assert np.isnan(found["aesthetic_v1"]).tolist() == [False, True, False]
    assert score.reads == {"embedding"}


def test_the_two_scales_have_columns_and_identities_of_their_own(tmp_path: Path) -> None:
    path = save(tmp_path / "h.pth", (4, 1))
    one, two = (aesthetic(encoder=NamedEncoder(4), version=v, weights=str(path)) for v in ("v1", "v2"))  # type: ignore[arg-type]
    assert [score.columns[0].name for score in (one, two)] == ["aesthetic_v1", "aesthetic_v2"]
    assert one.identity != two.identity
    assert one.identity["weights_sha256"] == file_sha256(path)
    path.rename(tmp_path / "moved.pth")
    moved = aesthetic(encoder=NamedEncoder(4), version="v1", weights=str(tmp_path / "moved.pth"))
    assert moved.identity == one.identity


@pytest.mark.parametrize(
    ("version", "architecture", "dim", "file"),
    [
        ("v1", "ViT-B-16", 512, f"{V1}/sa_0_4_vit_b_16_linear.pth"),
        ("v1", "ViT-B-32-quickgelu", 512, f"{V1}/sa_0_4_vit_b_32_linear.pth"),
        ("v1", "ViT-L-14", 768, f"{V1}/sa_0_4_vit_l_14_linear.pth"),
        ("v2", "ViT-L-14-quickgelu", 768, V2),
    ],
)
def test_the_published_head_that_fits_is_taken(
    shared: Path, monkeypatch: pytest.MonkeyPatch, version: str, architecture: str, dim: int, file: str
) -> None:
    by_hash = {file_sha256(path): path for path in (shared / "real/weights").rglob("*.pth")}
    monkeypatch.setattr("diptych.scores.aesthetic.fetch", lambda name: by_hash[ASSETS[name].sha256])
    score = make_score("aesthetic", {"encoder": openai(architecture, dim), "version": version})
    assert score.identity["weights_sha256"] == file_sha256(shared / file)


@pytest.mark.parametrize(
    ("version", "facts", "message"),
    [
        ("v2", {"encoder": "projection"}, "no published head for the encoder projection; they fit ViT-L-14 (set"),
        ("v2", {"architecture": OF_FOLDER}, "no published head for the encoder from a folder; they fit ViT-L-14 (set"),
        (
            "v1",
            {"architecture": "RN50"},
            "no published head for the encoder RN50; they fit ViT-B-16, ViT-B-32, ViT-L-14",
        ),
        (
            "v2",
            {"architecture": "ViT-L-14", "quick_gelu": False},
            "fit OpenAI's ViT-L-14 (pretrained: openai), not other",
        ),
    ],
)
def test_an_encoder_without_a_published_head_is_told_what_fits(
    version: str, facts: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_score("aesthetic", {"encoder": NamedEncoder(768, facts), "version": version})
    assert message in str(caught.value)


def test_a_head_for_another_dimension_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "h.pth", (4, 1))
    with pytest.raises(ConfigError, match=r"the head h\.pth takes 4 dimensions and the encoder has 8"):
        aesthetic(encoder=NamedEncoder(8), weights=str(path))


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_code_in_a_pickle_is_not_executed(tmp_path: Path, how: str) -> None:
    path, mark = tmp_path / "h.pth", tmp_path / "executed"
    if how == "torch":
        torch.save({"weight": torch.ones(1, 4), "bias": Bomb(mark)}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb(mark), protocol=2))
    with pytest.raises(DataError, match=r"h\.pth: not a readable linear head: ") as caught:
        load_head(path)
    assert not mark.exists()
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_head_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.pth"
    contents: list[Any] = [[1], {}, {"weight": torch.ones(1, 4)}, {"a.weight": 3, "a.bias": 4}, torch.ones(3)]
    contents += [{"weight": torch.tensor(1.0), "bias": torch.ones(1)}, {"weight": torch.ones(4), "bias": torch.ones(1)}]
    contents += [{"weight": torch.ones(1, 4), "bias": torch.ones(2)}]
    for content in contents:
        torch.save(content, path)
        with pytest.raises(DataError, match=r"h\.pth"):
            load_head(path)
    for data in (b"", b"hello"):
        path.write_bytes(data)
        with pytest.raises(DataError, match="not a readable linear head"):
            load_head(path)
    with pytest.raises(DataError, match=r"absent\.pth"):
        load_head(tmp_path / "absent.pth")


def test_layers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the layers do not fit each other"):
        load_head(save(tmp_path / "h.pth", (4, 3), (2, 1)))
    with pytest.raises(DataError, match="ends in one output"):
        load_head(save(tmp_path / "h.pth", (4, 3), (3, 2)))


def test_a_head_with_activations_is_refused_instead_of_folded(tmp_path: Path) -> None:
    names = [f"layers.{number}." for number in (0, 3, 6)]
    with pytest.raises(DataError, match=r"has activations between its layers \[0, 3, 6\]"):
        load_head(save(tmp_path / "h.pth", (4, 3), (3, 2), (2, 1), names=names))


def test_layers_are_taken_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = [f"layers.{number}." for number in range(8, 12)]
    path = save(tmp_path / "h.pth", (4, 4), (4, 4), (4, 4), (4, 1), names=names)
    state = torch.load(path)
    torch.save(dict(reversed(state.items())), path)
    x = torch.nn.functional.normalize(torch.arange(4.0), dim=0)
    expected = x
    for name in names:
        expected = state[f"{name}weight"] @ expected + state[f"{name}bias"]
    assert rate(np.arange(4, dtype=np.float32)[None], load_head(path))[0] == pytest.approx(float(expected[0]), abs=1e-5)
