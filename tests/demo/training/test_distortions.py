import numpy as np
import torch

from diptych.demo.training import detector
from diptych.demo.training.distortions import distort


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
