"""The program that trains the demo detector, at a size that takes no time, and how good the shipped one is."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import own_judges
import pytest
import torch
from click.testing import CliRunner

import diptych.demo
from diptych.demo.measure import detector_quality
from diptych.demo.training import detector, detector_rows
from diptych.demo.training.__main__ import main
from diptych.demo.training.detector import DetectorTrainer, DetectorTraining, train_detector
from diptych.demo.training.detector_rows import COLOUR_NAMES, LABELS, DetectorRows, training_picture
from diptych.demo.training.distortions import distort
from diptych.demo.training.stops import Stopped
from diptych.demo.world.backdrops import UNITS
from diptych.demo.world.drawing import draw
from diptych.demo.world.figures import HATS
from diptych.demo.world.scenes import scene
from diptych.demo.world.seeds import DETECTOR_ROWS
from diptych.demo.world.truth import truth_of
from diptych.errors import ConfigError
from diptych.judges.boxes.centre_net import CentreConfig, CentreNet, Maps, find_peaks
from diptych.judges.boxes.centre_point import centre_point

SHIPPED = Path(diptych.demo.__file__).parent / "models" / "detector"
TINY = {**detector.default_model(), "widths": [4, 4, 8, 8], "blocks": 0}
TRAINING = DetectorTraining(steps=4, batch=8, rows=40, warm_up=2, model=TINY)


def train(out: Path, training: DetectorTraining = TRAINING) -> Path:
    return train_detector(out, training, threads=1, check_every=2)


@pytest.fixture(autouse=True)
def _few_pictures_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "CHECK_ROWS", 8)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run of four steps."""
    out = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detector, "CHECK_ROWS", 8)
        train(out)
    return out


@pytest.fixture(scope="module")
def drawn(trained: Path) -> DetectorRows:
    return detector_rows.draw_rows(trained / "rows", TRAINING.rows, side=64)


def weights(out: Path) -> bytes:
    return (out / "detector" / "model.safetensors").read_bytes()


def share_rows(trained: Path, out: Path) -> Path:
    out.mkdir()
    (out / "rows").symlink_to(trained / "rows")
    return out


def test_product_loads_what_was_trained(trained: Path, drawn: DetectorRows) -> None:
    made = centre_point(weights=str(trained / "detector"), device="cpu")
    assert made.labels == LABELS
    assert made.boxes([scene_picture(1)])[0] == []  # four steps find nothing
    trainer = DetectorTrainer(TRAINING, drawn)
    detector_state = torch.load(trained / "checkpoint.pt", weights_only=True)
    trainer.average.load_state_dict(detector_state["average"])
    pixels = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        maps = zip(trainer.average.cpu()(pixels), made._model(pixels), strict=True)
        for left, right in maps:
            torch.testing.assert_close(left, right, atol=2e-2, rtol=2e-3)


def scene_picture(seed: int) -> "detector_quality.Image":
    return detector_quality._clean(scene(seed))


def test_stopped_run_goes_on_to_the_same_weights(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = share_rows(trained, tmp_path / "stopped")
    take_step: Callable[..., dict[str, float]] = DetectorTrainer.take_step

    def stop_after_three(self: DetectorTrainer) -> dict[str, float]:
        losses = take_step(self)
        if self.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return losses

    monkeypatch.setattr(DetectorTrainer, "take_step", stop_after_three)
    with pytest.raises(Stopped, match="at step 3 of 4"):
        train(out)
    curve = [json.loads(line) for line in (out / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["step"] for entry in curve] == [2, 3]
    assert {"heat", "offset", "size", "colour", "hat", "right"} < set(curve[0])
    assert not (out / "detector").exists()
    train(out)
    assert weights(out) == weights(trained)


def test_another_seed_gives_other_weights(trained: Path, tmp_path: Path) -> None:
    out = share_rows(trained, tmp_path / "other")
    train(out, replace(TRAINING, seed=1))
    assert weights(out) != weights(trained)


def test_run_goes_on_with_no_other_setting(trained: Path, tmp_path: Path) -> None:
    out = share_rows(trained, tmp_path / "longer")
    train(out, replace(TRAINING, steps=2))
    with pytest.raises(ConfigError, match=r"training\.json: this run has another batch, seed; give the same"):
        train(out, replace(TRAINING, batch=4, seed=3))
    with pytest.raises(ConfigError, match="batches of 9 need as many pictures; there are 8"):
        train(tmp_path, replace(TRAINING, batch=9, rows=8))


def test_pictures_are_drawn_once(tmp_path: Path, drawn: DetectorRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_rows, "ROWS_PER_FILE", 7)
    first = detector_rows.draw_rows(tmp_path, 20, side=64)
    monkeypatch.setattr(detector_rows, "_write_rows", lambda _: pytest.fail("was drawn again"))
    again = detector_rows.draw_rows(tmp_path, 20, side=64)
    for one, other, longer in zip(first, again, drawn, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, longer[:20])


def test_rows_say_what_is_in_the_pictures(drawn: DetectorRows) -> None:
    seen_figures = 0
    for number in range(TRAINING.rows):
        shown = scene(DETECTOR_ROWS + number)
        truth = truth_of(shown, UNITS)
        there = drawn.labels[number] >= 0
        if not there.any():
            continue  # a background, or hidden by a sign
        for place in np.flatnonzero(there):
            label = LABELS[drawn.labels[number, place]]
            if shown.figure:
                seen_figures += 1
                assert label == shown.figure.occupation
                assert drawn.colours[number, place] == -1
                assert drawn.hats[number, place] in (-1, HATS.index(shown.figure.hat))
            else:
                thing = truth.things[place]
                assert (label, COLOUR_NAMES[drawn.colours[number, place]]) == (thing.kind, thing.colour)
                assert drawn.hats[number, place] == -1
                np.testing.assert_allclose(drawn.boxes[number, place], np.array(thing.box) / UNITS)
    assert seen_figures > 0


def test_pictures_have_backgrounds_other_hats_and_hidden_things_among_them() -> None:
    seeds = range(DETECTOR_ROWS, DETECTOR_ROWS + 150)
    shown = [training_picture(seed) for seed in seeds]
    scenes = [scene(seed) for seed in seeds]
    places = [one.places for one in shown]
    empty = [(one.labels < 0).all() for one in places]
    fewer = [(one.labels >= 0).sum() < len(there.things) for one, there in zip(places, scenes, strict=True)]
    hatless = [one.labels[0] >= 20 and one.hats[0] < 0 for one in places]
    assert 0.01 < np.mean(empty) < 0.1
    assert sum(fewer) > sum(empty)
    assert any(hatless)
    assert min(one.image.width for one in shown) >= 64


def one_square(left: float, top: float, right: float, bottom: float) -> tuple[torch.Tensor, ...]:
    """Return 64 equal grey pictures with a white square, its box and label."""
    pixels = torch.full((64, 64, 64, 3), 90, dtype=torch.uint8)
    ends = [round(64 * value) for value in (left, top, right, bottom)]
    pixels[:, ends[1] : ends[3], ends[0] : ends[2]] = 255
    boxes = torch.tensor([[[left, top, right, bottom], [-1.0] * 4]]).repeat(64, 1, 1)
    return pixels, boxes, torch.tensor([[3, -1]]).repeat(64, 1)


def test_boxes_move_with_what_they_hold() -> None:
    pixels, boxes, labels = one_square(0.25, 0.375, 0.625, 0.75)
    shown = distort(pixels, boxes, labels, np.random.default_rng(0))
    assert shown.labels.tolist() == labels.tolist()
    misses = []
    for picture, box in zip(shown.pixels.mean(dim=1), shown.boxes[:, 0] * 64, strict=True):
        bright = torch.nonzero(picture > (picture.max() + picture.median()) / 2.0)
        centre = (bright.float() + 0.5).mean(dim=0).flip(0)
        misses.append(((box[:2] + box[2:]) / 2.0 - centre).abs().max().item())
    assert np.median(misses) < 1.0  # pixels; the warp moves it a little
    centres = (shown.boxes[:, 0, :2] + shown.boxes[:, 0, 2:]) / 2.0
    assert (centres[:, 0] > 0.5).any()  # mirrored
    assert centres[:, 1].std() > 0.02
    assert 0.0 <= shown.pixels.min() <= shown.pixels.max() <= 1.0


def test_what_leaves_the_picture_is_not_there_any_more() -> None:
    pixels, boxes, labels = one_square(0.0, 0.4, 0.1, 0.6)
    shown = distort(pixels, boxes, labels, np.random.default_rng(1))
    gone = shown.labels[:, 0] < 0
    assert 0 < gone.sum() < 64
    widths = (shown.boxes[:, 0, 2] - shown.boxes[:, 0, 0])[~gone]
    assert (widths > 0.04).all()


def test_distortions_follow_from_the_dice_alone() -> None:
    batch = one_square(0.25, 0.375, 0.625, 0.75)
    one, again, other = (distort(*batch, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert all(torch.equal(left, right) for left, right in zip(one, again, strict=True))
    assert not torch.equal(one.pixels, other.pixels)


def batch(boxes: list[list[float]], labels: list[int], colours: list[int], hats: list[int]) -> detector.CentreBatch:
    numbers = [torch.tensor([values]) for values in (labels, colours, hats)]
    return detector.CentreBatch(torch.zeros(1, 3, 64, 64), torch.tensor([boxes]), *numbers)


def test_what_the_loss_wants_is_what_the_peaks_are_read_as() -> None:
    things = batch([[0.1, 0.2, 0.4, 0.8], [0.6, 0.1, 0.9, 0.3], [-1.0] * 4], [4, 22, -1], [7, -1, -1], [-1, 1, -1])
    shapes = [(1, channels, 16, 16) for channels in (28, 2, 2, 10, 2)]
    maps = Maps(torch.full(shapes[0], -20.0), *(torch.zeros(shape) for shape in shapes[1:]))
    # Centres at (4.0, 8.0) and (12.0, 3.2) of 16 cells.
    for label, row, column in ((4, 8, 4), (22, 3, 12)):
        maps.heat[0, label, row, column] = 20.0
    maps.offset[0, :, 8, 4], maps.offset[0, :, 3, 12] = torch.tensor([-0.5, -0.5]), torch.tensor([-0.5, -0.3])
    maps.log_size[0, :, 8, 4], maps.log_size[0, :, 3, 12] = (
        torch.tensor([4.8, 9.6]).log(),
        torch.tensor([4.8, 3.2]).log(),
    )
    maps.colour[0, 7, 8, 4], maps.attribute[0, 1, 3, 12], maps.attribute[0, 0, 3, 12] = 30.0, 20.0, -20.0
    losses = detector.losses_of(maps, things)
    assert {name: round(loss.item(), 4) for name, loss in losses.items()} == dict.fromkeys(losses, 0.0)
    peaks = find_peaks(maps, 0.3)
    assert sorted(peaks.label.tolist()) == [4, 22]
    order = peaks.label.argsort()
    np.testing.assert_allclose(peaks.box[order].numpy(), things.boxes[0, :2].numpy(), atol=1e-5)
    for name, values in maps._asdict().items():
        wrong = torch.linspace(40, 0, values.shape[1])[None, :, None, None]
        worse = maps._replace(**{name: values + wrong})
        changed = detector.losses_of(worse, things)
        key = {"log_size": "size", "attribute": "hat"}.get(name, name)
        assert changed[key] > losses[key] + 0.01, name


def test_figure_without_one_of_the_hats_should_have_none() -> None:
    maps = Maps(*(torch.zeros(1, channels, 16, 16) for channels in (28, 2, 2, 10, 2)))
    none = batch([[0.1, 0.2, 0.4, 0.8]], [22], [-1], [-1])
    maps.attribute[:] = -20.0
    assert detector.losses_of(maps, none)["hat"].item() == pytest.approx(0.0, abs=1e-4)
    maps.attribute[:, 0] = 20.0
    assert detector.losses_of(maps, none)["hat"].item() > 1.0


def test_batch_without_anything_in_it_teaches_that_nothing_is_there() -> None:
    maps = Maps(*(torch.zeros(1, channels, 16, 16) for channels in (28, 2, 2, 10, 2)))
    losses = detector.losses_of(maps, batch([[-1.0] * 4], [-1], [-1], [-1]))
    assert losses["heat"].item() > 1.0
    assert {losses[name].item() for name in ("offset", "size", "colour", "hat")} == {0.0}


def test_average_moves_towards_the_weights(drawn: DetectorRows) -> None:
    trainer = DetectorTrainer(replace(TRAINING, averaged=2, learning_rate=0.1), drawn)
    before = trainer.average.heads.weight.clone()
    for _ in range(8):
        trainer.take_step()
    distance = (trainer.average.heads.weight - trainer.model.heads.weight).abs().mean()
    assert distance < (before - trainer.model.heads.weight).abs().mean()
    assert not torch.equal(trainer.average.heads.weight, before)
    assert not trainer.average.training


def test_command_hands_on_what_is_given_and_leaves_the_rest_to_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(detector, "train_detector", lambda *args, **options: calls.append((args, options)))
    result = CliRunner().invoke(main, ["detector", "--out", str(tmp_path), "--steps", "7", "--threads", "2"])
    assert result.exit_code == 0, result.output
    assert calls == [((tmp_path, DetectorTraining(steps=7)), {"threads": 2, "check_every": 100})]


def test_shipped_detector_finds_what_was_drawn() -> None:
    torch.set_num_threads(1)
    figures = detector_quality.measure_detector(SHIPPED, rows=60)
    assert figures["single_object"].n == 60
    for suffix in ("", "_web"):
        for name, least in (("single_object", 0.97), ("attribute", 0.97), ("occupation", 0.95), ("count", 0.95)):
            assert figures[f"{name}{suffix}"].value >= least, name + suffix
        for name, least in (("relation", 0.95), ("judged_right", 0.97), ("box_overlap", 0.8)):
            assert figures[f"{name}{suffix}"].value >= least, name + suffix
    assert figures["judged_right_spoilt"].value >= 0.9
    for figure in figures.values():
        assert figure.ci_low <= figure.value <= figure.ci_high


def test_detector_that_finds_nothing_is_never_right(tmp_path: Path) -> None:
    torch.manual_seed(0)
    detector.save_detector(CentreNet(CentreConfig.model_validate(TINY)), tmp_path)
    figures = detector_quality.measure_detector(tmp_path, rows=3)
    assert {figure.value for figure in figures.values()} == {0.0}


def test_one_thing_too_many_is_as_wrong_as_one_too_few() -> None:
    shown = scene(2_000_000_050, layout="single")
    (thing,) = truth_of(shown).things
    found = own_judges.box(thing.kind, 0.9, corners=thing.box, colour=thing.colour)
    looked = detector_quality.Looked(truth_of(shown), [found])
    assert detector_quality._is_exact(looked)
    assert detector_quality._is_judged_right(looked)
    assert detector_quality._overlaps(looked) == [1.0]
    other = own_judges.box(thing.kind, 0.9, corners=thing.box, colour="white" if thing.colour != "white" else "red")
    for wrong in ([], [found, found], [other], [replace(found, label="cook", traits=())]):
        assert not detector_quality._is_exact(looked._replace(found=wrong))
        assert not detector_quality._is_judged_right(looked._replace(found=wrong))


def test_relation_has_to_hold_between_the_right_things() -> None:
    shown = scene(2_000_000_007, layout="relation")
    truth = truth_of(shown)
    found = [own_judges.box(one.kind, 0.9, corners=one.box, colour=one.colour) for one in truth.things]
    swapped = [replace(found[0], corners=found[1].corners), replace(found[1], corners=found[0].corners)]
    assert detector_quality._relation_holds(detector_quality.Looked(truth, found))
    assert not detector_quality._relation_holds(detector_quality.Looked(truth, swapped))
    assert not detector_quality._relation_holds(detector_quality.Looked(truth, found[:1]))
    assert draw(shown).shape == (64, 64, 3)


@pytest.mark.slow
def test_400_steps_find_most_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "CHECK_ROWS", 200)
    train_detector(tmp_path, DetectorTraining(steps=400, rows=6000, averaged=50), threads=1, check_every=400)
    last = json.loads((tmp_path / "curve.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["right"] > 0.6
