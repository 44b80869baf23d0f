"""The commands of `python -m diptych.demo.training`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny_trainings import TinyRun

import diptych.demo
from diptych.demo.measure import ratings
from diptych.demo.measure.clip_quality import measure_clip
from diptych.demo.measure.heads_quality import measure_heads
from diptych.demo.training import clip, detector, vae
from diptych.demo.training.__main__ import main
from diptych.demo.training.clip import ClipTraining
from diptych.demo.training.detector import DetectorTraining
from diptych.demo.training.stops import Stopped
from diptych.demo.training.vae import VaeTraining
from diptych.encoders.open_clip import open_clip_encoder
from diptych.scores.aesthetic import aesthetic


def test_commands_train_heads_and_measure_them(clip_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = clip_run.out
    result = CliRunner().invoke(main, ["heads", "--out", str(trained), "--rows", "100"])
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(trained / "heads")
    encoder = open_clip_encoder(architecture=str(trained / "clip"), device="cpu")
    score = aesthetic(encoder=encoder, version="v1", weights=str(trained / "heads" / "aesthetic.pth"))
    assert score.columns[0].name == "aesthetic_v1"
    monkeypatch.setattr(ratings, "RESAMPLES", 20)
    found = measure_clip(trained / "clip", rows=40, web_rows=100) | measure_heads(
        trained / "clip", trained / "heads", rows=60
    )
    assert found["image_to_text_recall_at_1"].value < 0.3
    assert found["image_to_text_recall_at_1"].n == 40
    assert found["flagged_auc"].n == 60
    for figure in found.values():
        assert figure.ci_low <= figure.value <= figure.ci_high


def test_command_hands_on_what_is_given_and_leaves_the_rest_to_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--out", str(tmp_path), "--steps", "7", "--learning-rate", "0.001", "--threads", "2"]
    made = {
        "clip": (clip, ClipTraining(steps=7, learning_rate=1e-3), 50),
        "detector": (detector, DetectorTraining(steps=7, learning_rate=1e-3), 100),
        "vae": (vae, VaeTraining(steps=7, learning_rate=1e-3), 100),
    }
    for name, (module, training, check_every) in made.items():
        calls = []
        monkeypatch.setattr(module, f"train_{name}", lambda *args, calls=calls, **given: calls.append((args, given)))
        result = CliRunner().invoke(main, [name, *options])
        assert result.exit_code == 0, result.output
        assert calls == [((tmp_path, training), {"threads": 2, "check_every": check_every})]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_command_ends_with_one_line_and_its_own_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Stopped(number, "at step 3 of 4")

    monkeypatch.setattr(clip, "train_clip", stop)
    result = CliRunner().invoke(main, ["clip", "--out", str(tmp_path)])
    assert result.exit_code == 128 + number
    assert (result.stdout, result.stderr) == ("", "stopped at step 3 of 4; the same command goes on\n")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["measure", "--out", "nowhere"], "nowhere: no finished models, as clip/open_clip_config.json would be"),
        (["diffusion", "--out", "o", "--pairs", ".", "--vae", ".", "--clip", "."], "not a finished dataset directory"),
        (["clip", "--out", "file/below", "--rows", "8", "--batch", "8"], "file/below: the directory cannot be made"),
        (["heads", "--out", "nowhere"], "nowhere/clip: there is no open_clip_config.json; give the folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1, result.exception
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("rate", ["0", "-0.1", "nan", "inf"])
def test_learning_rate_is_a_positive_finite_number(tmp_path: Path, rate: str) -> None:
    for command in ("clip", "detector", "vae"):
        result = CliRunner().invoke(main, [command, "--out", str(tmp_path), f"--learning-rate={rate}"])
        assert result.exit_code == 2
        assert "is not a positive finite number" in result.stderr


def test_help_loads_no_torch() -> None:
    script = "import sys; from diptych.demo.training.__main__ import main; print('torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(Path(diptych.demo.__file__).parents[2])}
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == "False\n"
