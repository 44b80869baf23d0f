"""Files of diptych's own statistics: of several encoders, with and without vectors."""

import json
from pathlib import Path

import numpy as np
import pytest
from drawn import picture
from evaluate_configs import call, call_json
from inception_weights import save_random_weights

from diptych.errors import DataError
from diptych.evaluate.inputs.distance_side import EncoderSpec
from diptych.evaluate.inputs.saved_statistics import read_statistics

SMALL, LARGE = ("projection,dim=6", "projection,dim=9")
METRICS = ("--metric", "frechet_distance", "--metric", "kid")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders of pictures."""
    for name, first in (("a", 0), ("b", 40)):
        (tmp_path / name).mkdir()
        for number in range(first, first + 12):
            (tmp_path / name / f"{name}{number}.png").write_bytes(picture(number))
    return tmp_path


def save(folder: Path, *more: str) -> Path:
    encoders = ("--encoder", SMALL, "--encoder", LARGE)
    assert (
        call_json("evaluate", "statistics", folder / "b", *encoders, *more, "--out", folder / "b.npz")["images"] == 12
    )
    return folder / "b.npz"


def test_one_file_stands_for_the_images_by_each_encoder(folder: Path) -> None:
    file = save(folder)
    encoders = ("--encoder", SMALL, "--encoder", LARGE)
    by_images = call_json("evaluate", "distance", folder / "a", folder / "b", *encoders, *METRICS)
    by_file = call_json("evaluate", "distance", folder / "a", file, *encoders, *METRICS)
    assert by_file["values"] == by_images["values"]
    assert {name.rpartition(".")[0] for name in by_file["values"]} == {SMALL, LARGE}
    alone = call_json("evaluate", "distance", folder / "a", file, "--encoder", LARGE, "--metric", "kid")
    assert alone["values"]["kernel_distance"]["value"] == by_file["values"][f"{LARGE}.kernel_distance"]["value"]
    with np.load(file) as arrays:  # as other programs read it
        assert (arrays["mu"].shape, arrays["sigma"].shape, arrays["1.mu"].shape) == ((6,), (6, 6), (9,))


def test_a_file_of_moments_says_nothing_of_an_image_and_names_its_encoder(folder: Path) -> None:
    file = save(folder, "--format", "moments")
    with np.load(file) as arrays:
        assert sorted(arrays) == ["1.mu", "1.n", "1.sigma", "facts", "mu", "n", "sigma"]
    found = call_json("evaluate", "distance", folder / "a", file, "--encoder", LARGE)
    whole = call_json("evaluate", "distance", folder / "a", folder / "b", "--encoder", LARGE)
    (value,) = found["values"].values()
    assert value["value"] == pytest.approx(whole["values"]["frechet_distance"]["value"], rel=1e-9)
    assert (value["n_reference"], value["caution"]) == (12, "")
    assert value["identity"]["encoder"]["dim"] == 9
    refused = call("evaluate", "distance", folder / "a", file, "--encoder", LARGE, "--metric", "kid")
    assert "holds mean and covariance alone; kernel_distance needs the images or their vectors" in refused.output


def test_an_encoder_that_is_not_in_the_file_is_refused_with_those_that_are(folder: Path) -> None:
    file = save(folder)
    with pytest.raises(DataError, match=r"holds vectors of projection and projection, none of open_clip; save them"):
        read_statistics(file, EncoderSpec("open_clip", {}))
    refused = call("evaluate", "distance", folder / "a", file, "--encoder", "projection,dim=7")
    assert "holds vectors of projection and projection, none of projection, dim=7; save them by that" in refused.output


def test_of_one_kind_the_encoder_is_found_whatever_its_identity_calls_an_option(folder: Path) -> None:
    weights = save_random_weights(folder / "inception.pth")
    encoders = [f"{weights}", f"{weights},preprocess=clean", f"{weights},layer=logits"]
    asked = [word for encoder in encoders for word in ("--encoder", encoder)]
    call_json("evaluate", "statistics", folder / "b", *asked, "--out", folder / "b.npz")
    by_file = call_json("evaluate", "distance", folder / "a", folder / "b.npz", *asked, "--metric", "kid")
    assert (
        by_file["values"]
        == call_json("evaluate", "distance", folder / "a", folder / "b", *asked, "--metric", "kid")["values"]
    )
    assert len({value["value"] for value in by_file["values"].values()}) == 3


@pytest.mark.parametrize("further", ["x", [3], [{}], {"a": 1}])
def test_encoders_that_are_none_are_damage(further: object, folder: Path) -> None:
    file = save(folder)
    with np.load(file) as arrays:
        left = dict(arrays)
    facts = json.loads(str(left["facts"]))
    np.savez(file, **{**left, "facts": np.array(json.dumps({**facts, "further": further}))})
    with pytest.raises(DataError, match="damaged statistics of diptych"):
        read_statistics(file, EncoderSpec("projection", {"dim": 9}))


def test_a_format_of_one_encoder_takes_no_second(folder: Path) -> None:
    encoders = ("--encoder", SMALL, "--encoder", LARGE)
    refused = call(
        "evaluate", "statistics", folder / "b", *encoders, "--format", "pytorch_fid", "--out", folder / "x.npz"
    )
    assert (refused.exit_code, "holds one encoder, not 2" in refused.output) == (1, True)
    assert not (folder / "x.npz").exists()


@pytest.mark.parametrize("lost", ["facts", "units", "1.vectors", "1.mu"])
def test_a_file_that_lacks_something_is_damaged_or_has_less(lost: str, folder: Path) -> None:
    file = save(folder)
    with np.load(file) as arrays:
        left = {name: arrays[name] for name in arrays if name != lost}
    np.savez(file, **left)
    spec = EncoderSpec("projection", {"dim": 9})
    if lost in ("facts", "1.mu"):  # then it is one of other programs; and vectors are enough
        assert read_statistics(file, spec).encoder is None or lost == "1.mu"
    elif lost == "1.vectors":
        assert read_statistics(file, spec).images is None
    else:
        with pytest.raises(DataError, match="damaged statistics of diptych"):
            read_statistics(file, spec)
