"""What is left of numbers of two sets that depend on each other."""

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import draw_dataset, draw_folder, picture
from evaluate_configs import call_json
from ingested import make_config as make_curate_config
from ingested import run as ingest

from diptych.evaluate.inputs.named_encoders import encoder_spec
from diptych.evaluate.inputs.sides import open_side
from diptych.evaluate.metrics.contract import SET_METRICS, set_metric
from diptych.evaluate.metrics.dependent_sets import results_between
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.overlap import BYTES, Overlap
from diptych.evaluate.statistics.moments import moments

CLIP = "package:diptych.demo/models/clip"


WITHOUT_INTERVAL = {"frechet_infinity", "mind", "subset_kernel_distance"}
AGAINST_ONE_REFERENCE = "authpct"  # a share against the reference as it is, which the sets have in common or not


@pytest.mark.parametrize("name", [name for name in SET_METRICS if set_metric(name).needs_reference])
def test_much_in_common_leaves_no_error_and_little_is_only_said(name: str) -> None:
    metric, dice = set_metric(name), np.random.default_rng(0)
    sides = [metric.statistics(dice.standard_normal((200, 6)), [f"{side}{row}" for row in range(200)]) for side in "xy"]
    alone = results_between(metric, *sides, {}, None)
    little = results_between(metric, *sides, {}, Overlap(1, 200, BYTES))
    much = results_between(metric, *sides, {}, Overlap(2, 200, BYTES))
    assert list(alone) == list(little)
    assert any(np.isfinite(result.ci_low) for result in alone.values()) == (name not in WITHOUT_INTERVAL)
    for value, result in little.items():
        assert result.caution.endswith("1 of 200 different images are in both sets (equal bytes)")
        assert result.value == alone[value].value
    for result in much.values():
        assert np.isfinite(result.value) == (result.reason != "sets_depend")
        assert np.isnan([result.se, result.ci_low, result.ci_high]).all()
        assert "the two sets depend on each other: 2 of 200 different images" in result.caution
        assert f"{result.note}; {result.caution}".count("no interval") == 1
    names = {value.name: value.size_bias for value in metric.values}
    own = [value for value, result in much.items() if result.reason is None and value != AGAINST_ONE_REFERENCE]
    assert all(names[value] == "uncorrected" for value in own), "what is not corrected depends on n, and says so"
    assert not {"corrected_frechet_distance", "kernel_distance"} & set(much)


def number_of(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(call_json(*arguments)["values"].values()))
    return found


def test_the_same_images_in_a_dataset_and_a_folder_are_at_no_distance_and_found(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set", rows=70)
    draw_folder(tmp_path / "folder", 70)
    options = ("--encoder", "projection", "--set", "dim=6")
    for metric in ("frechet_distance", "kernel_distance"):
        found = call_json("evaluate", "distance", tmp_path / "set", tmp_path / "folder", *options, "--metric", metric)
        ((name, number),) = found["values"].items()
        assert name == ("biased_kernel_distance" if metric == "kernel_distance" else metric)
        assert number["value"] == pytest.approx(0.0, abs=1e-9)
        assert (number["se"], number["ci_low"], number["ci_high"]) == (None, None, None)
        said = "the two sets depend on each other: 70 of 70 different images are in both sets (equal bytes)"
        assert said in number["caution"]


@pytest.mark.parametrize(
    ("kind", "quality", "how"), [("PNG", 90, "equal vectors"), ("JPEG", 50, "equal keys, and alike")]
)
def test_another_container_and_recompressed_images_have_the_published_value_and_no_error(
    kind: str, quality: int, how: str, tmp_path: Path
) -> None:
    """With the correction for size identical pixels were at -0.125, with an error of 3e-8."""
    clip = ("--encoder", CLIP, "--metric", "frechet_distance", "--metric")
    for name, made in (("a", {"kind": kind, "quality": quality}), ("b", {"kind": "BMP"})):
        (tmp_path / name).mkdir()
        for row in range(70):
            (tmp_path / name / f"{row:03d}.{made['kind'].lower()}").write_bytes(picture(row, **made))
    found = call_json("evaluate", "distance", tmp_path / "a", tmp_path / "b", *clip, "kernel_distance")
    assert list(found["values"]) == ["frechet_distance", "biased_kernel_distance"]
    sides = [open_side(tmp_path / name, encoder_spec(CLIP, [], 64)).images for name in "ab"]
    vectors = [side.vectors for side in sides if side is not None]
    published, kernel = found["values"].values()
    assert published["value"] == pytest.approx(frechet_distance(*map(moments, vectors)), rel=0.01, abs=1e-6)
    assert kernel["value"] >= -1e-9
    for number in (published, kernel):
        assert f"70 of 70 {'different ' * (kind == 'PNG')}images are in both sets ({how})" in number["caution"]
        assert (number["se"], number["ci_low"]) == (None, None)


def test_equal_names_of_other_pictures_are_no_pairs(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 70), tmp_path / "b"
    b.mkdir()
    for row in range(70):
        (b / f"{row:03d}.jpg").write_bytes(picture(1000 + row))
    clip = ("--encoder", CLIP, "--metric", "kernel_distance")
    found = number_of("evaluate", "distance", a, b, *clip)
    assert found["ci_low"] < found["value"] < found["ci_high"]
    assert "both sets" not in found["caution"]
    declared = number_of("evaluate", "distance", a, b, *clip, "--paired")
    assert "declared to be versions of the same pictures" in declared["caution"]
    assert declared["ci_low"] is None


@pytest.mark.parametrize("source", ["folder", "webdataset"])
def test_two_pools_that_are_versions_of_each_other_are_found_by_the_names_of_their_files(
    source: str, tmp_path: Path
) -> None:
    """Keys of a pool follow from the content, so that versions never have the same one."""
    for name, kind in (("png", {"kind": "PNG"}), ("jpeg", {"kind": "JPEG", "quality": 60})):
        (tmp_path / name / "in").mkdir(parents=True)
        for row in range(70):
            (tmp_path / name / "in" / f"{row:03d}.{name}").write_bytes(picture(row, **kind))
        if source == "webdataset":
            with tarfile.open(tmp_path / name / "in.tar", "w") as tar:
                tar.add(tmp_path / name / "in", arcname="in")
        path = tmp_path / name / ("in" if source == "folder" else "in.tar")
        settings = {"captions": "none"} if source == "folder" else {}
        ingest(make_curate_config({"kind": source, "path": str(path), **settings}), tmp_path / name / "pool")
    clip = ("--encoder", CLIP, "--metric", "frechet_distance", "--metric", "kernel_distance")
    pools = [tmp_path / name / "pool" for name in ("jpeg", "png")]
    for sides in (pools, [pools[0], tmp_path / "png" / "in"]):
        found = call_json("evaluate", "distance", *sides, *clip)
        if source == "webdataset" and sides != pools:
            continue  # the path within the tar is another than that within the folder
        assert list(found["values"]) == ["frechet_distance", "biased_kernel_distance"]
        for number in found["values"].values():
            assert "70 of 70 images are in both sets (equal keys, and alike)" in number["caution"]
            assert (number["se"], number["ci_low"]) == (None, None)


@pytest.mark.parametrize("name", ["frechet_distance", "kernel_distance"])
def test_an_interval_below_zero_refutes_that_the_sets_are_independent_and_is_no_value(name: str) -> None:
    """Versions of the same vectors under other names: the correction takes off more than there is."""
    metric, dice = set_metric(name), np.random.default_rng(0)
    real = dice.standard_normal((400, 4))
    versions = real + 0.05 * dice.standard_normal(real.shape)
    sides = [
        metric.statistics(each, [f"{side}{row}" for row in range(400)])
        for side, each in zip("xy", (real, versions), strict=True)
    ]
    unguarded = metric.results(*sides, {})
    (value,) = [each.name for each in metric.values if each.true_low == 0.0]
    assert unguarded[value].ci_high < 0.0
    found = results_between(metric, *sides, {}, None)
    assert (found[value].reason, np.isnan(found[value].value), np.isnan(found[value].ci_high)) == (
        "below_zero",
        True,
        True,
    )
    assert found[value].note.startswith(f"{unguarded[value].value:.6g}, 95 %")
    (other,) = [result for label, result in found.items() if label != value]
    assert other.value >= 0.0
    assert np.isnan([other.se, other.ci_low]).all()
    assert "the two sets seem to depend on each other" in other.caution
    assert list(found) == [each.name for each in metric.values if each.name in found]


def test_an_interval_that_holds_zero_stays() -> None:
    metric, dice = set_metric("kernel_distance"), np.random.default_rng(5)
    sides = [metric.statistics(dice.standard_normal((300, 4)), [f"{side}{row}" for row in range(300)]) for side in "xy"]
    (result,) = results_between(metric, *sides, {}, None).values()
    assert result == metric.results(*sides, {})["kernel_distance"]
    assert result.ci_low < 0.0 < result.ci_high
