"""``diptych evaluate distance`` and ``statistics``: what they read, what they print, what they refuse."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from drawn import draw_dataset, draw_folder, picture
from inception_weights import save_random_weights
from tiny_generated import made_grid, make_generated

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.table import DatasetTable
from diptych.encoders.projection import ProjectionEncoder
from diptych.errors import ConfigError, DataError
from diptych.evaluate.inputs.distance_side import EncoderSpec
from diptych.evaluate.inputs.named_encoders import encoder_spec
from diptych.evaluate.inputs.saved_statistics import read_statistics
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.inputs.sides import open_side
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.two_sets import measure_distances
from diptych.evaluate.statistics.moments import moments

pytestmark = pytest.mark.usefixtures("one_thread")

SPEC = EncoderSpec("projection", {"dim": 6}, 4)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", "evaluate", *map(str, arguments)])


def call_json(*arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def number_of(*arguments: object) -> dict[str, Any]:
    """Return the number of a metric that always exists."""
    found: dict[str, Any] = next(iter(call_json(*arguments)["values"].values()))
    return found


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 1, result.output
    (line,) = result.output.splitlines()
    return line


def projection(*arguments: object) -> list[object]:
    return [*arguments, "--encoder", "projection", "--set", "dim=6"]


def test_a_dataset_and_a_folder_give_a_number_that_can_be_defended(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set", rows=70, rows_per_shard=25)
    draw_folder(tmp_path / "folder", 80, first=100)
    found = call_json(*projection("distance", tmp_path / "set", tmp_path / "folder"))
    assert found["metrics"] == ["frechet_distance"]
    assert found["a"]["left_out"] == {}
    assert list(found["values"]) == ["frechet_distance", "corrected_frechet_distance"]
    published, found = found["values"].values()
    assert (published["se"], published["ci_low"]) == (None, None)
    assert found["ci_low"] < found["value"] < found["ci_high"]
    assert found["se"] > 0.0
    assert (found["n"], found["n_reference"]) == (70, 80)
    assert found["value"] < published["value"]
    assert found["identity"]["encoder"]["encoder"] == "projection"
    assert len(found["identity"]["reference"]) == 64
    assert found["reason"] is None


def test_the_number_is_that_of_the_vectors(tmp_path: Path) -> None:
    a, b = (open_side(draw_folder(tmp_path / str(first), 30, first=first), SPEC) for first in (0, 50))
    assert a.images is not None
    assert b.images is not None
    found = measure_distances([a.path, b.path], ["frechet_distance"], {"projection": SPEC})
    expected = frechet_distance(moments(a.images.vectors), moments(b.images.vectors))
    assert found.results["frechet_distance"].value == pytest.approx(expected, rel=1e-9)


def test_a_folder_is_embedded_once_for_all_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = draw_folder(tmp_path / "a", 70), draw_folder(tmp_path / "b", 80, first=100)
    seen = []
    embed = ProjectionEncoder.images

    def counted(self: ProjectionEncoder, prepared: Any) -> Any:
        seen.append(len(prepared))
        return embed(self, prepared)

    monkeypatch.setattr(ProjectionEncoder, "images", counted)
    metrics = ("frechet_distance", "precision_recall", "kernel_distance")
    asked = [argument for metric in metrics for argument in ("--metric", metric)]
    found = call_json(*projection("distance", a, b, *asked))
    assert sum(seen) == 150
    assert found["metrics"] == list(metrics)
    names = ["frechet_distance", "corrected_frechet_distance", "precision", "recall", "kernel_distance"]
    assert list(found["values"]) == names


def test_a_side_that_cannot_be_read_is_refused_before_the_other_is_embedded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = draw_folder(tmp_path / "a", 3)
    (tmp_path / "empty").mkdir()
    (tmp_path / "unfinished/data").mkdir(parents=True)
    (tmp_path / "b.npz").write_bytes(b"PK")

    def refuse(*args: Any) -> Any:
        raise AssertionError("embedded before the other side was looked at")

    monkeypatch.setattr(ProjectionEncoder, "images", refuse)
    for name in ("empty", "unfinished", "nowhere", "b.npz"):
        with pytest.raises(DataError, match=name):
            measure_distances([a, tmp_path / name], ["frechet_distance"], {"projection": SPEC})


def test_vectors_of_a_dataset_are_stored_and_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_dataset(tmp_path / "set", rows=20)
    draw_dataset(tmp_path / "reference", rows=25)
    first = call_json(*projection("distance", tmp_path / "set", tmp_path / "reference"))
    assert len(list((tmp_path / "set" / "embeddings").glob("projection-*/_embedding.json"))) == 1

    def fail(*_: object) -> None:
        raise AssertionError("embedded again")

    monkeypatch.setattr("diptych.encoders.projection.ProjectionEncoder.images", fail)
    assert call_json(*projection("distance", tmp_path / "set", tmp_path / "reference")) == first


def test_batches_change_nothing(tmp_path: Path) -> None:
    folder, other = draw_folder(tmp_path / "a", 21), draw_folder(tmp_path / "b", 30, first=40)
    values = [
        measure_distances(
            [folder, other], ["frechet_distance"], {"projection": EncoderSpec("projection", {"dim": 6}, size)}
        )
        .results["frechet_distance"]
        .value
        for size in (1, 7, 64)
    ]
    assert values[0] == values[1] == values[2]


def test_what_is_no_image_is_left_out_and_said(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", 20)
    (folder / "page.jpg").write_bytes(b"<html>")
    (folder / "cut.png").write_bytes(picture(1, kind="PNG")[:300])
    (folder / "captions.txt").write_text("beside the images")
    (folder / ".hidden").write_bytes(b"x")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "more.png").write_bytes(picture(77, kind="PNG"))
    draw_dataset(tmp_path / "set", rows=25, failed=(3, 4))
    found = call_json(*projection("distance", folder, tmp_path / "set"))
    distance = found["values"]["frechet_distance"]
    assert (distance["n"], distance["n_reference"]) == (21, 23)
    assert found["a"]["left_out"] == {"not_an_image": 1, "truncated": 1}
    assert found["b"]["left_out"] == {"no_picture": 2}
    text = call(*projection("distance", folder, tmp_path / "set")).stdout
    assert "21 images; left out: not_an_image 1, truncated 1" in text


def test_images_of_one_prompt_are_not_taken_for_independent(tmp_path: Path) -> None:
    rows = made_grid(models=("m",), prompts=6, samples=6)
    make_generated(tmp_path / "generated", rows)
    side = open_side(tmp_path / "generated", SPEC)
    assert side.images is not None
    assert len(set(side.images.units)) == 6
    assert len(side.images.units) == 36


def test_units_are_those_of_a_run_for_a_dataset_and_for_a_folder_of_its_files(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(models=("m",), prompts=3, samples=2))
    dataset = ScoredRows("m", "reference", DatasetTable(open_dataset(tmp_path / "generated")))
    side = open_side(tmp_path / "generated", SPEC)
    assert side.images is not None
    assert side.images.units.tolist() == dataset.units.tolist()
    pairs = ScoredRows("p", "reference", DatasetTable(draw_dataset(tmp_path / "pairs", 5)))
    side = open_side(draw_folder(tmp_path / "images", 5), SPEC)
    assert side.images is not None
    assert sorted(side.images.units.tolist()) == sorted(pairs.units.tolist())


def test_text_for_people_has_value_interval_and_counts(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 70), draw_folder(tmp_path / "b", 70, first=100)
    lines = call(*projection("distance", a, b)).stdout.splitlines()
    assert lines[0].startswith("frechet_distance            ")
    assert " 95 % " not in lines[0] + lines[1]
    assert " se " not in lines[0] + lines[1], "no error where there is no interval"
    assert lines[1] == "  no interval: not corrected for size, compare at equal n"
    assert lines[2].startswith("corrected_frechet_distance  ")
    assert " 95 % " in lines[2]
    assert lines[3].startswith("  corrected for size, without that ")
    assert lines[4:] == [f"  a  {a}: 70 images", f"  b  {b}: 70 images"]
    few = draw_folder(tmp_path / "few", 1)
    assert call(*projection("distance", few, b)).stdout.startswith("frechet_distance  too_few_images\n")


def test_saved_statistics_stand_for_the_images(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 30), draw_folder(tmp_path / "b", 40, first=50)
    saved = tmp_path / "b.npz"
    result = call(*projection("statistics", b, "--out", saved))
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{saved}: statistics of 40 images\n"
    told = call(*projection("statistics", b, "--out", saved, "--json"))
    assert json.loads(told.stdout) == {"path": str(saved), "images": 40}
    for metric in ("frechet_distance", "kernel_distance"):
        by_images, by_file = (number_of(*projection("distance", a, side, "--metric", metric)) for side in (b, saved))
        for name in ("value", "se", "ci_low", "ci_high", "n", "n_reference", "identity"):
            assert by_file[name] == by_images[name], name


def test_saved_statistics_are_readable_by_others_and_theirs_by_us(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 30), draw_folder(tmp_path / "b", 40, first=50)
    call(*projection("statistics", b, "--out", tmp_path / "b.npz"))
    with np.load(tmp_path / "b.npz", allow_pickle=False) as file:  # as pytorch-fid reads it
        np.savez(tmp_path / "theirs.npz", mu=file["mu"], sigma=file["sigma"])
        np.savez(tmp_path / "counted.npz", mu=file["mu"], sigma=file["sigma"], n=40)
    ours = number_of(*projection("distance", a, b))
    theirs = number_of(*projection("distance", a, tmp_path / "theirs.npz"))
    assert theirs["value"] == pytest.approx(ours["value"], rel=1e-6)
    assert (theirs["se"], theirs["ci_low"], theirs["n"], theirs["n_reference"]) == (None, None, 30, None)
    assert theirs["identity"]["encoder"]["other_side"] == "unknown"
    assert theirs["identity"]["size_bias"] == "uncorrected"
    assert "only mean and covariance" in theirs["note"]
    assert f"encoder and resize unknown of {tmp_path / 'theirs.npz'}" in theirs["caution"]
    said = call(*projection("distance", a, tmp_path / "theirs.npz")).stdout.splitlines()
    assert said[-1].endswith("images of unknown number; encoder and resize unknown")
    assert number_of(*projection("distance", a, tmp_path / "counted.npz"))["n_reference"] == 40
    both = number_of("distance", tmp_path / "theirs.npz", tmp_path / "theirs.npz")
    assert both["value"] == pytest.approx(0.0, abs=1e-9)
    assert (both["n"], both["identity"]["encoder"]) == (None, "unknown")
    line = refused(*projection("distance", a, tmp_path / "theirs.npz", "--metric", "kernel_distance"))
    assert "holds mean and covariance alone" in line


def test_statistics_of_another_encoder_are_refused(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 30), draw_folder(tmp_path / "b", 40, first=50)
    call(*projection("statistics", b, "--out", tmp_path / "b.npz"))
    line = refused("distance", a, tmp_path / "b.npz", "--encoder", "projection", "--set", "dim=6", "--set", "seed=3")
    assert "two encoders: seed 3 and 0" in line
    np.savez(tmp_path / "wide.npz", mu=np.zeros(9), sigma=np.eye(9))
    assert "6 and of 9 dimensions" in refused(*projection("distance", a, tmp_path / "wide.npz"))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 2))}, "it holds images"),
        ({"mu": np.zeros(3), "sigma": np.eye(4)}, r"\(3,\) and \(4, 4\)"),
        ({"mu": np.zeros(3, int), "sigma": np.eye(3)}, "numbers are needed"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, np.nan], [0.0, 1.0]])}, "not finite"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 0.5], [0.0, 1.0]])}, "not symmetric"),
        ({"mu": np.zeros(2), "sigma": np.eye(2), "n": np.int64(1)}, "n is 1"),
        ({"facts": np.array("{}"), "vectors": np.zeros((2, 2)), "units": np.array(["a", "b"])}, "damaged statistics"),
        ({"facts": np.array("{"), "vectors": np.zeros((2, 2)), "units": np.array(["a", "b"])}, "damaged statistics"),
        ({"facts": np.array("{}"), "vectors": np.zeros((2, 2))}, "or statistics of an older one"),
        (
            {
                "facts": np.array('{"content": "", "encoder": {}, "reasons": {}}'),
                "vectors": np.zeros(2),
                "units": np.array(["a"]),
                "contents": np.array([""]),
                "keys": np.array(["a"]),
                "texts": np.array([""]),
            },
            "do not fit",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_npz_files_are_refused(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "file.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_statistics(tmp_path / "file.npz")


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "file.npz", mu=np.array([object()], dtype=object), sigma=np.eye(1))
    for name, content in (("file.npz", None), ("page.npz", b"<html>"), ("empty.npz", b""), ("zip.npz", b"PK\x03\x04")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=r"no \.npz file of statistics"):
            read_statistics(tmp_path / name)


def test_mistakes_are_said_in_one_line(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 3), draw_folder(tmp_path / "b", 3, first=50)
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "x.jpg").write_bytes(b"<html>")
    unfinished = tmp_path / "unfinished"
    (unfinished / "data").mkdir(parents=True)
    assert "did you mean 'frechet_distance'" in refused("distance", a, b, "--metric", "frechet_dist")
    assert "unknown encoder 'incepton'; did you mean 'inception'" in refused("distance", a, b, "--encoder", "incepton")
    assert "unknown metric 'fidd'; did you mean 'fid'" in refused("distance", a, b, "--metric", "fidd")
    home = f"--encoder: {Path.home() / 'no-such-model'}: no such folder"
    assert home in refused("distance", a, b, "--encoder", "~/no-such-model")
    assert "--set 'weights': write it as key=value" in refused("distance", a, b, "--set", "weights")
    assert "no image files there" in refused(*projection("distance", empty, b))
    assert "none of its 1 files is an image (not_an_image)" in refused(*projection("distance", tmp_path / "pages", b))
    assert "not a finished dataset directory" in refused(*projection("distance", unfinished, b))
    assert "no weights at" in refused("distance", a, b, "--set", f"weights={tmp_path / 'nowhere.pth'}")
    assert "statistics need at least 2" in refused(
        *projection("statistics", draw_folder(tmp_path / "one", 1), "--out", tmp_path / "x.npz")
    )
    weights = tmp_path / "one" / "file"
    weights.write_bytes(b"")
    said = refused(*projection("statistics", a, "--out", weights / "x.npz"))
    assert f"{weights / 'x.npz'}: cannot be written: " in said
    assert "give another place" in said
    assert call("distance", tmp_path / "nowhere", b).exit_code == 1


def test_an_encoder_is_named_by_kind_path_or_architecture(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"")
    folder = tmp_path / "model"
    folder.mkdir()
    cases = {
        "inception": ("inception", {}),
        str(weights): ("inception", {"weights": str(weights)}),
        str(folder): ("open_clip", {"architecture": str(folder)}),
        "ViT-B-32/openai": ("open_clip", {"architecture": "ViT-B-32", "pretrained": "openai"}),
        "hf-hub:owner/name": ("open_clip", {"architecture": "hf-hub:owner/name"}),
    }
    for text, expected in cases.items():
        spec = encoder_spec(text, [], 64)
        assert (spec.kind, spec.options) == expected
    assert encoder_spec("inception", ["preprocess=clean"], 64).options == {"preprocess": "clean"}
    needed = "the option 'architecture' is missing; for example --set architecture=ViT-L-14 --set pretrained=openai"
    for wrong, said in (
        ("open_clip", needed),
        ("clip", "unknown encoder"),
        ("./nowhere/model", "no such folder"),
        ("/x/y", "no such folder"),
    ):
        with pytest.raises(ConfigError, match=said):
            encoder_spec(wrong, [], 64)


def test_the_demo_clip_is_an_encoder_like_any_other(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 24), draw_folder(tmp_path / "b", 24, first=50)
    found = number_of("distance", a, b, "--encoder", "package:diptych.demo/models/clip", "--metric", "kernel_distance")
    assert found["identity"]["encoder"]["encoder"] == "open_clip"
    assert found["ci_low"] < found["value"] < found["ci_high"]


def test_a_distance_by_each_resize_from_one_command(tmp_path: Path) -> None:
    weights = save_random_weights(tmp_path / "inception.pth")
    draw_dataset(tmp_path / "set", rows=14)
    folder = draw_folder(tmp_path / "folder", 14, first=50)
    found = [
        number_of("distance", tmp_path / "set", folder, "--encoder", weights, "--set", f"preprocess={way}")
        for way in ("legacy", "clean", "pytorch_fid")
    ]
    assert len({json.dumps(each["identity"]) for each in found}) == 3
    assert len({each["value"] for each in found}) == 3
    assert "cannot be corrected: 14 prompts, or images that stand alone, are too few" in found[0]["note"]
    assert (found[0]["se"], found[0]["ci_low"]) == (None, None)
    assert len(list((tmp_path / "set" / "embeddings").iterdir())) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"n": np.array("abc")}, "n is 'abc'"), ({"n": np.nan}, "n is nan"), ({"sigma": -np.eye(2)}, "eigenvalue -1")],
    ids=["text", "nan", "negative"],
)
def test_statistics_that_are_none_are_refused_in_one_line(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "file.npz", **({"mu": np.zeros(2), "sigma": np.eye(2)} | changes))
    with pytest.raises(DataError, match=message) as caught:
        read_statistics(tmp_path / "file.npz")
    assert "\n" not in str(caught.value)


def test_an_array_alone_or_a_damaged_file_is_no_statistics(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "whole.npz", mu=np.zeros(2), sigma=np.eye(2))
    with pytest.raises(DataError, match=r"vectors are needed, as float"):
        read_statistics(tmp_path / "array.npy")
    whole = (tmp_path / "whole.npz").read_bytes()
    for place in range(len(whole)):
        (tmp_path / "damaged.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0x28]) + whole[place + 1 :])
        with contextlib.suppress(DataError):
            read_statistics(tmp_path / "damaged.npz")
