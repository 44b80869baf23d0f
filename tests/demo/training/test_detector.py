"""The recipe of the demo detector, at a size that takes no time."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_trainings import DETECTOR, TinyRun

from diptych.data.images import decode
from diptych.demo.training import detector
from diptych.demo.training.detector import DetectorRecipe, DetectorTraining, train_detector
from diptych.demo.training.detector_rows import (
    LABELS,
    DetectorRows,
)
from diptych.demo.training.trainer import Trainer
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.scenes import scene
from diptych.judges.boxes.centre_point import centre_point


def test_product_loads_what_was_trained(detector_run: TinyRun, detectable: DetectorRows) -> None:
    made = centre_point(weights=str(detector_run.folder), device="cpu")
    assert made.labels == LABELS
    assert made.boxes([decode(encoded(draw(scene(1)), "png", 0))])[0] == []  # four steps find nothing
    recipe = DetectorRecipe(DETECTOR, detectable)
    Trainer(recipe, DETECTOR).load(detector_run.out)
    pixels = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        maps = zip(recipe.average.cpu()(pixels), made._model(pixels), strict=True)
        for left, right in maps:
            torch.testing.assert_close(left, right, atol=2e-2, rtol=2e-3)


def test_average_moves_towards_the_weights(detectable: DetectorRows) -> None:
    settings = replace(DETECTOR, averaged=2, learning_rate=0.1)
    recipe = DetectorRecipe(settings, detectable)
    trainer, before = Trainer(recipe, settings), recipe.average.heads.weight.clone()
    for _ in range(8):
        trainer.take_step()
    distance = (recipe.average.heads.weight - recipe.model.heads.weight).abs().mean()
    assert distance < (before - recipe.model.heads.weight).abs().mean()
    assert not torch.equal(recipe.average.heads.weight, before)
    assert not recipe.average.training


@pytest.mark.slow
def test_400_steps_find_most_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "CHECK_ROWS", 200)
    train_detector(tmp_path, DetectorTraining(steps=400, rows=6000, averaged=50), threads=1, check_every=400)
    last = json.loads((tmp_path / "curve.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["right"] > 0.6
