"""``diptych evaluate distance`` with several encoders, and with metrics that look at one set."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from drawn import draw_dataset, draw_folder
from inception_weights import save_random_weights

from diptych.cli import main
from diptych.data import images
from diptych.errors import ConfigError
from diptych.evaluate.inputs.named_encoders import encoder_specs

pytestmark = pytest.mark.usefixtures("one_thread")

ONE = ["--encoder", "projection,dim=6"]
TWO = ["--encoder", "projection,dim=6", "--encoder", "projection,dim=9"]


def output_of(exit_code: int, *arguments: object) -> str:
    result = CliRunner().invoke(main, ["--progress", "none", "evaluate", "distance", *map(str, arguments)])
    assert result.exit_code == exit_code, result.output
    return result.output


def found_by(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output_of(0, *arguments, "--json"))
    return found


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each picture had that was decoded."""
    seen: list[int] = []
    decode = images.decode

    def counted(data: bytes, **options: Any) -> Any:
        seen.append(len(data))
        return decode(data, **options)

    monkeypatch.setattr(images, "decode", counted)
    return seen


def test_several_encoders_decode_a_picture_once(tmp_path: Path, decoded: list[int]) -> None:
    draw_dataset(tmp_path / "set", rows=20)
    folder = draw_folder(tmp_path / "folder", 25, first=50)
    found = found_by(tmp_path / "set", folder, *TWO, "--metric", "kernel_distance")
    assert len(decoded) == 45
    assert list(found["values"]) == ["projection,dim=6.kernel_distance", "projection,dim=9.kernel_distance"]
    assert found["a"]["left_out"] == {}
    for dim in (6, 9):
        options = ["--encoder", "projection", "--set", f"dim={dim}", "--metric", "kernel_distance"]
        alone = found_by(tmp_path / "set", folder, *options)["values"]["kernel_distance"]
        assert alone == found["values"][f"projection,dim={dim}.kernel_distance"]


def test_one_more_metric_embeds_nothing_of_a_dataset_again(tmp_path: Path, decoded: list[int]) -> None:
    for name, rows in (("a", 30), ("b", 33)):
        draw_dataset(tmp_path / name, rows=rows)
    both = [tmp_path / "a", tmp_path / "b", *ONE, "--metric", "kernel_distance"]
    found_by(*both)
    assert len(decoded) == 63
    found_by(*both, "--metric", "precision_recall")
    assert len(decoded) == 63


def test_a_metric_of_one_set_is_told_of_each_side_and_needs_no_other(tmp_path: Path) -> None:
    a, b = draw_folder(tmp_path / "a", 12), draw_folder(tmp_path / "b", 15, first=50)
    both = found_by(a, b, *ONE, "--metric", "vendi", "--metric", "frechet_distance")
    assert {"vendi", "b.vendi", "frechet_distance"} <= set(both["values"])
    assert (both["values"]["vendi"]["n"], both["values"]["b.vendi"]["n"]) == (12, 15)
    assert both["values"]["vendi"]["n_reference"] is None
    assert both["values"]["frechet_distance"]["n_reference"] == 15
    alone = found_by(a, *ONE, "--metric", "vendi")
    assert alone["values"]["vendi"] == both["values"]["vendi"]
    assert "b" not in alone
    other = found_by(b, *ONE, "--metric", "vendi")
    assert other["values"]["vendi"] == both["values"]["b.vendi"]
    said = "--metric: frechet_distance compares two sets of images; give the reference as well"
    assert said in output_of(1, a, *ONE)


def test_equal_pictures_have_the_vendi_score_one(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "a", 1)
    (picture,) = folder.iterdir()
    for number in range(4):
        (folder / f"copy-{number}{picture.suffix}").write_bytes(picture.read_bytes())
    vendi = found_by(folder, *ONE, "--metric", "vendi")["values"]["vendi"]
    assert vendi["value"] == pytest.approx(1.0, abs=1e-6)


def test_the_inception_score_takes_the_layer_of_logits(tmp_path: Path) -> None:
    weights = save_random_weights(tmp_path / "inception.pth")
    folder = draw_folder(tmp_path / "a", 12)
    asked = ["--encoder", f"{weights},layer=logits", "--metric", "inception_score"]
    found = found_by(folder, *asked)["values"]["inception_score"]
    assert "logits" in found["identity"]["encoder"]["layer"]
    assert np.isfinite(found["value"])
    assert found["value"] >= 1.0


def test_options_of_one_of_several_encoders_stand_behind_its_name() -> None:
    with pytest.raises(ConfigError, match=r"--set dim=6: of which of 2 encoders\? .* --encoder projection,dim=6"):
        encoder_specs(["projection", "inception"], ["dim=6"], 64)
    specs = encoder_specs(["projection,dim=6", "projection,dim=9", "inception,layer=logits"], [], 64)
    assert list(specs) == ["projection,dim=6", "projection,dim=9", "inception"]
    assert specs["inception"].options == {"layer": "logits"}
    assert list(encoder_specs(["projection,dim=6", "projection,dim=6"], [], 64)) == ["projection"]
