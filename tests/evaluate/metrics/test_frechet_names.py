"""Where a Fréchet distance is FID: by the identity that the encoder itself gives."""

from pathlib import Path

import pytest
from inception_weights import save_random_weights

from diptych.asset_table import ASSETS
from diptych.encoders import make_encoder
from diptych.encoders.inception import ASSET
from diptych.encoders.inception_resizes import RESIZES, Preprocess
from diptych.evaluate.metrics.choices import DistanceChoice
from diptych.evaluate.metrics.contract import set_metric
from diptych.evaluate.metrics.distances import value_names
from diptych.evaluate.metrics.frechet_names import FIELD_NAMES, frechet_names

PUBLISHED = ASSETS[ASSET].sha256


def identity(weights: Path, way: Preprocess) -> dict[str, object]:
    return dict(make_encoder("inception", {"weights": str(weights), "preprocess": way, "device": "cpu"}).identity)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return save_random_weights(tmp_path / "weights.pth")


def test_it_is_fid_with_the_published_weights_alone_and_each_resize_has_its_name(weights: Path) -> None:
    found = {way: frechet_names({**identity(weights, way), "weights_sha256": PUBLISHED}) for way in RESIZES}
    assert {way: names["frechet_distance"] for way, names in found.items()} == {
        "clean": "clean_fid",
        "legacy": "fid",
        "pytorch_fid": "pytorch_fid",
    }
    assert found["legacy"]["corrected_frechet_distance"] == "corrected_fid"
    assert all(frechet_names(identity(weights, way)) == {} for way in RESIZES), "other weights make no FID"


def test_over_the_spatial_layer_it_is_sfid_and_over_logits_nothing(weights: Path) -> None:
    def named(layer: str, way: Preprocess) -> str:
        options = {"weights": str(weights), "preprocess": way, "layer": layer, "device": "cpu"}
        found = {**make_encoder("inception", options).identity, "weights_sha256": PUBLISHED}
        return frechet_names(found).get("frechet_distance", "")

    assert [named("spatial", way) for way in ("legacy", "clean")] == ["sfid", "clean_sfid"]
    assert named("logits", "legacy") == ""


def test_every_resize_has_a_name() -> None:
    assert FIELD_NAMES.keys() == RESIZES.keys()


def test_other_encoders_make_no_fid() -> None:
    assert frechet_names(make_encoder("projection", {"dim": 6}).identity) == {}
    names = set_metric("kernel_distance").names_in({"encoder": "any"})
    assert list(names.items()) == [(name, name) for name in ("kernel_distance", "biased_kernel_distance")]


def test_in_a_run_the_name_is_that_of_the_encoder(weights: Path) -> None:
    made = {"inc": {**identity(weights, "legacy"), "weights_sha256": PUBLISHED}, "clip": {"encoder": "open_clip"}}
    choices = [DistanceChoice(metric="frechet_distance", encoder=name, reference="real") for name in made]
    assert value_names(choices[:1], made) == {
        ("frechet_distance", "inc", "real"): {
            "frechet_distance": "fid",
            "corrected_frechet_distance": "corrected_fid",
        }
    }
    assert [list(names.values()) for names in value_names(choices, made).values()] == [
        ["inc.fid", "inc.corrected_fid"],
        ["clip.frechet_distance", "clip.corrected_frechet_distance"],
    ]
