"""What holds for the training of every model, whatever it learns."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_trainings import CLIP, DETECTOR, VAE, TinyRun

from diptych.demo.training.caption_rows import CaptionRows
from diptych.demo.training.clip import ClipRecipe, ClipTraining
from diptych.demo.training.detector import DetectorRecipe
from diptych.demo.training.detector_rows import DetectorRows
from diptych.demo.training.stops import Stopped
from diptych.demo.training.trainer import Trainer, draw_step, learning_rate_at
from diptych.errors import ConfigError, ShardError


def curve(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "curve.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_stopped_run_goes_on_to_the_same_weights(
    run: TinyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    out = run.sharing(tmp_path / "stopped")
    take_step: Callable[[Trainer], dict[str, float]] = Trainer.take_step

    def stop_after_three(self: Trainer) -> dict[str, float]:
        losses = take_step(self)
        if self.step == 3:
            os.kill(os.getpid(), number)
        return losses

    monkeypatch.setattr(Trainer, "take_step", stop_after_three)
    handler = signal.getsignal(number)
    with pytest.raises(Stopped, match="stopped at step 3 of 4; the same command goes on") as stopped:
        run.train(out, run.settings)
    assert stopped.value.exit_code == 128 + number
    assert signal.getsignal(number) == handler
    assert [entry["step"] for entry in curve(out)] == [2, 3]
    assert not (out / run.folder.name).exists()
    run.train(out, run.settings)
    assert run.weights(out) == run.weights()
    assert [path.name for path in (out / run.folder.name).iterdir()] == [path.name for path in run.folder.iterdir()]


def test_another_seed_gives_other_weights(run: TinyRun, tmp_path: Path) -> None:
    out = run.sharing(tmp_path / "other")
    run.train(out, replace(run.settings, seed=1))
    assert run.weights(out) != run.weights()


def test_finished_run_is_saved_again_from_its_checkpoint(run: TinyRun, tmp_path: Path) -> None:
    before, lines = run.weights(), curve(run.out)
    run.train(run.out, run.settings)
    assert (run.weights(), curve(run.out)) == (before, lines)


def test_other_settings_need_another_directory(run: TinyRun) -> None:
    with pytest.raises(ConfigError, match=r"training\.json: this run has another batch, seed; give the same"):
        run.train(run.out, replace(run.settings, batch=3, seed=3))


def test_run_goes_on_with_more_steps(clip_run: TinyRun, tmp_path: Path) -> None:
    out = clip_run.sharing(tmp_path / "longer")
    clip_run.train(out, replace(CLIP, steps=2))
    clip_run.train(out, replace(CLIP, steps=3))
    assert [entry["step"] for entry in curve(out)] == [2, 3]


def test_curve_shows_the_losses_and_what_was_looked_at(run: TinyRun) -> None:
    shown = {
        "clip": {"contrast", "flagged", "quality", "recall_at_1"},
        "detector": {"heat", "offset", "size", "colour", "hat", "right"},
        "vae": {"picture", "kl", "absolute_error"},
        "pipeline": {"loss", "held_out_loss"},
    }
    assert [set(entry) for entry in curve(run.out)] == [{"step", "time"} | shown[run.folder.name]] * 2


def test_damaged_note_of_an_earlier_run_is_said(clip_run: TinyRun, tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{", encoding="utf-8")
    with pytest.raises(ShardError, match=r"training\.json: is damaged"):
        clip_run.train(tmp_path, CLIP)


def test_batch_follows_from_the_recipe_the_seed_and_the_step_alone(
    captioned: CaptionRows, detectable: DetectorRows
) -> None:
    first, second = ClipRecipe(CLIP, captioned), DetectorRecipe(DETECTOR, detectable)
    one, again, later, other, seeded = (
        draw_step(recipe, settings, step)
        for recipe, settings, step in [
            (first, CLIP, 5),
            (ClipRecipe(CLIP, captioned), CLIP, 5),
            (first, CLIP, 6),
            (second, DETECTOR, 5),
            (first, replace(CLIP, seed=1), 5),
        ]
    )
    assert one.at.tolist() == again.at.tolist() == sorted(set(one.at.tolist()))
    assert len(one.at) == CLIP.batch
    assert one.dice.random() == again.dice.random()
    assert torch.equal(*(torch.randn(3, generator=draw.noise) for draw in (one, again)))
    for different in (later, other, seeded):
        assert different.at.tolist() != one.at.tolist()


def test_learning_rate_rises_in_a_line_and_falls_to_nothing() -> None:
    training = ClipTraining(steps=100, warm_up=10, learning_rate=1.0)
    rates = [learning_rate_at(step, training) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_learning_rate_rises_and_falls_in_each_part_of_a_training() -> None:
    training = replace(VAE, steps=60, decoder_steps=40, warm_up=10, learning_rate=1.0)
    rates = np.array([learning_rate_at(step, training) for step in range(100)])
    assert np.flatnonzero(rates == 1.0).tolist() == [9, 10, 69, 70]
    assert rates[60] == pytest.approx(0.1)
    assert rates[[35, 85]] == pytest.approx([0.5, 0.5])
