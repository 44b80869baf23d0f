import importlib.metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import draw_dataset, picture
from inception_weights import save_random_weights
from safetensors.torch import save_file

from diptych.asset_table import ASSETS
from diptych.data.images import Image, decode
from diptych.encoders import make_encoder
from diptych.encoders.centre_crop import centre_cropped
from diptych.encoders.inception import ASSET, InceptionEncoder, inception_encoder
from diptych.encoders.inception_layers import LAYERS
from diptych.encoders.inception_network import Inception
from diptych.encoders.inception_resizes import RESIZES
from diptych.errors import ConfigError, DataError
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_names import frechet_names
from diptych.evaluate.statistics.moments import moments
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.scores.tables import read_embeddings

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [(48, 32), (32, 48), (299, 299), (640, 480), (7, 1024), (1, 1)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_weights(tmp_path_factory.mktemp("inception") / "pt_inception.pth")


@pytest.fixture(scope="module")
def encoder(weights: Path) -> InceptionEncoder:
    return inception_encoder(weights=str(weights), device="cpu")


def pictures() -> list[Image]:
    return [decode(picture(seed, size, kind="PNG")) for seed, size in enumerate(SIZES)]


def as_tensor(image: Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[np.newaxis]


def embed(encoder: InceptionEncoder, shown: list[Image]) -> np.ndarray:
    return encoder.images([encoder.prepare(image) for image in shown])


@pytest.mark.reference
def test_features_are_those_of_torch_fidelity(encoder: InceptionEncoder, weights: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    theirs = FeatureExtractorInceptionV3("inception", ["2048"], str(weights))
    with torch.no_grad():
        expected = np.concatenate([theirs(as_tensor(image))[0].numpy() for image in pictures()])
    found = embed(encoder, pictures())
    assert (found.dtype, found.shape) == (np.dtype(np.float32), (len(SIZES), 2048))
    assert expected.std() > 0.05, "features that vanish would agree whatever the network is"
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.reference
def test_logits_are_those_of_torch_fidelity(weights: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    theirs = FeatureExtractorInceptionV3("inception", ["logits_unbiased"], str(weights))
    with torch.no_grad():
        expected = np.concatenate([theirs(as_tensor(image))[0].numpy() for image in pictures()[:3]])
    encoder = inception_encoder(weights=str(weights), layer="logits", device="cpu")
    found = embed(encoder, pictures()[:3])
    assert found.shape == (3, encoder.dim) == (3, 1008)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.reference
def test_spatial_features_are_those_of_torch_fidelity_s_network(weights: Path) -> None:
    """What comes out of ``Mixed_6d.branch1x1`` there, which is ``mixed_6/conv`` of the graph."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    theirs = FeatureExtractorInceptionV3("inception", ["2048"], str(weights))
    seen: list[torch.Tensor] = []
    theirs.Mixed_6d.branch1x1.register_forward_hook(lambda module, given, out: seen.append(out))
    with torch.no_grad():
        for image in pictures()[:3]:
            theirs(as_tensor(image))
    expected = torch.cat(seen)[:, :7].flatten(1).numpy()
    encoder = inception_encoder(weights=str(weights), layer="spatial", device="cpu")
    found = embed(encoder, pictures()[:3])
    assert found.shape == (3, encoder.dim) == (3, 2023)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_layers_are_told_apart(weights: Path) -> None:
    said = [inception_encoder(weights=str(weights), layer=layer).identity["layer"] for layer in LAYERS]
    assert said == ["logits without bias", "pool3", "mixed_6/conv, 7 channels"]


def test_logits_need_the_classifier(weights: Path, tmp_path: Path) -> None:
    state = torch.load(weights, weights_only=True)
    torch.save({name: tensor for name, tensor in state.items() if name != "fc.weight"}, tmp_path / "bare.pth")
    encoder = inception_encoder(weights=str(tmp_path / "bare.pth"), layer="logits", device="cpu")
    with pytest.raises(DataError, match=r"lacks 'fc\.weight'"):
        embed(encoder, pictures()[:1])


@pytest.mark.reference
def test_fid_is_that_of_torchmetrics_on_the_same_features(encoder: InceptionEncoder) -> None:
    """On 12 of the 2,048 features, so that 2 x 16 images are of full rank and theirs is exact too."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    shown = [decode(picture(seed, (40, 40), kind="PNG")) for seed in range(32)]
    features = np.concatenate([embed(encoder, shown[start : start + 16]) for start in (0, 16)])
    busy = np.argsort(features.var(axis=0))[-12:]
    left, right = (features[rows][:, busy].astype(np.float64) for rows in (slice(0, 16), slice(16, 32)))
    passing = torch.nn.Identity()
    passing.num_features = len(busy)
    theirs = FrechetInceptionDistance(feature=passing)
    theirs.set_dtype(torch.float64)
    theirs.update(torch.from_numpy(left), real=False)
    theirs.update(torch.from_numpy(right), real=True)
    assert frechet_distance(moments(left), moments(right)) == pytest.approx(float(theirs.compute()), rel=1e-9)


def test_batch_norms_are_folded_and_features_stay(encoder: InceptionEncoder, weights: Path) -> None:
    plain = Inception()
    plain.load_state_dict(torch.load(weights, weights_only=True), strict=False)
    pixels = [encoder.prepare(image) for image in pictures()[:3]]
    with torch.inference_mode():
        expected = plain.eval()(torch.from_numpy(np.stack(pixels))).numpy()
    found = encoder.images(pixels)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in encoder._model.modules())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_neighbours_in_a_batch_change_nothing(encoder: InceptionEncoder) -> None:
    together = embed(encoder, pictures()[:3])
    alone = np.concatenate([embed(encoder, [image]) for image in pictures()[:3]])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


def test_the_ways_to_resize_are_told_apart(weights: Path, encoder: InceptionEncoder) -> None:
    said = set()
    for way in RESIZES:
        other = inception_encoder(weights=str(weights), preprocess=way, device="cpu").identity
        assert dict(encoder.identity) == {**other, "preprocess": encoder.identity["preprocess"]}
        assert other["preprocess"].startswith(f"{way}: ")
        said.add(other["preprocess"])
    assert len(said) == 3
    assert encoder.identity["preprocess"].startswith("legacy: TensorFlow 1 bilinear")


def test_the_identity_changes_with_the_weights_and_not_with_their_place(weights: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pth"
    copy.write_bytes(weights.read_bytes())
    other = save_random_weights(tmp_path / "other.pth", seed=1)
    identities = [inception_encoder(weights=str(path)).identity for path in (weights, copy, other)]
    assert identities[0] == identities[1]
    assert identities[0] != identities[2]
    assert str(tmp_path) not in str(identities)


def test_safetensors_hold_the_same_weights(weights: Path, encoder: InceptionEncoder, tmp_path: Path) -> None:
    state = torch.load(weights, weights_only=True)
    save_file(state, tmp_path / "weights.safetensors")
    again = inception_encoder(weights=str(tmp_path / "weights.safetensors"), device="cpu")
    np.testing.assert_array_equal(embed(again, pictures()[:1]), embed(encoder, pictures()[:1]))


def test_vectors_are_stored_beside_a_dataset(weights: Path, encoder: InceptionEncoder, tmp_path: Path) -> None:
    dataset = draw_dataset(tmp_path / "set", rows=3, rows_per_shard=3, failed=(1,))
    plan = ScorePlan({"fid": ("inception", {"weights": str(weights), "device": "cpu"})}, {}, ("fid",))
    stored = score_dataset(dataset.path, plan).embeddings["fid"]
    assert stored.name.startswith("inception-")
    vectors = read_embeddings(stored.files[0])
    expected = embed(encoder, [decode(picture(row)) for row in (0, 2)]).astype(np.float16)
    np.testing.assert_allclose(vectors[[0, 2]], expected, rtol=2e-3, atol=1e-4)
    assert np.isnan(vectors[1]).all()


def test_it_has_no_text_side(encoder: InceptionEncoder) -> None:
    for call in (encoder.texts, encoder.truncated):
        with pytest.raises(ConfigError, match="embeds images only"):
            call(["a cat"])


def test_without_weights_it_wants_the_published_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIPTYCH_OFFLINE", "1")
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"inception-2015-12-05 is not in the cache .*; download https:"):
        inception_encoder()
    assert ASSETS[ASSET].sha256.startswith(ASSETS[ASSET].url.rpartition("-")[2].removesuffix(".pth"))


def test_a_missing_file_is_a_mistake_of_the_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no weights at .*nowhere\.pth"):
        make_encoder("inception", {"weights": str(tmp_path / "nowhere.pth")})
    with pytest.raises(ConfigError, match="preprocess"):
        make_encoder("inception", {"preprocess": "sharp"})


def refused(path: Path) -> str:
    encoder = inception_encoder(weights=str(path), device="cpu")
    with pytest.raises(DataError) as caught:
        embed(encoder, pictures()[:1])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_other_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    state = torch.load(weights, weights_only=True)
    cases = {
        "torchvision's ImageNet weights": {**state, "AuxLogits.fc.bias": torch.zeros(1000)},
        "lacks 'Conv2d_1a_3x3.conv.weight'": {n: t for n, t in state.items() if n != "Conv2d_1a_3x3.conv.weight"},
        "has an unknown 'extra'": {**state, "extra": torch.zeros(1)},
        "has another shape of 'Mixed_7c.branch_pool.bn.bias'": {
            **state,
            "Mixed_7c.branch_pool.bn.bias": torch.zeros(7),
        },
    }
    for message, wrong in cases.items():
        torch.save(wrong, tmp_path / "wrong.pth")
        assert message in refused(tmp_path / "wrong.pth")


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>", b"PK\x03\x04 cut short"], ids=["empty", "page", "zip"]
)
def test_what_is_no_weights_file_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert "no weights file" in refused(tmp_path / name)


class Evil:
    """What a weights file must not be able to do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('executed')",)


def test_a_weights_file_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"Conv2d_1a_3x3.conv.weight": Evil()}, tmp_path / "evil.pth")
    assert "no weights file" in refused(tmp_path / "evil.pth")


def test_an_unknown_device_is_a_mistake_of_the_config(weights: Path) -> None:
    for device in ("cuda:99", "quantum"):
        with pytest.raises(ConfigError, match=f"device '{device}'"):
            embed(inception_encoder(weights=str(weights), device=device), pictures()[:1])


def test_the_network_has_the_shapes_of_the_published_file() -> None:
    own = Inception().state_dict()
    assert len(own) == 94 * 6  # 94 convolutions: a kernel, and four vectors and a count of batch norm
    assert own["Mixed_7c.branch3x3dbl_3b.conv.weight"].shape == (384, 384, 3, 1)
    assert sum(tensor.numel() for name, tensor in own.items() if name.endswith("conv.weight")) == 21_751_136
    assert importlib.metadata.version("torch-fidelity")


def test_a_crop_comes_before_the_resize_and_is_part_of_the_identity_and_of_the_name(
    encoder: InceptionEncoder, weights: Path
) -> None:
    cropped = inception_encoder(weights=str(weights), centre_crop=32, device="cpu")
    picture_of = pictures()[3]
    assert (cropped.prepare(picture_of) == encoder.prepare(centre_cropped(picture_of, 32))).all()
    added = {name: value for name, value in cropped.identity.items() if name not in encoder.identity}
    assert added["centre_crop_px"] == 32
    assert set(added) == {"centre_crop_px", "centre_crop"}
    published = {"weights_sha256": ASSETS[ASSET].sha256}
    assert frechet_names({**encoder.identity, **published})["frechet_distance"] == "fid"
    assert frechet_names({**cropped.identity, **published})["frechet_distance"] == "fid_crop32"


def test_a_crop_of_no_size_is_refused(weights: Path) -> None:
    with pytest.raises(ConfigError, match="a side has 1 to 4,096 pixels, not 0"):
        inception_encoder(weights=str(weights), centre_crop=0)
