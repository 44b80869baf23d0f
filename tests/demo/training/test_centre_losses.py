import numpy as np
import pytest
import torch

from diptych.demo.training.centre_losses import CentreBatch, losses_of
from diptych.judges.boxes.centre_net import Maps, find_peaks


def batch(boxes: list[list[float]], labels: list[int], colours: list[int], hats: list[int]) -> CentreBatch:
    numbers = [torch.tensor([values]) for values in (labels, colours, hats)]
    return CentreBatch(torch.zeros(1, 3, 64, 64), torch.tensor([boxes]), *numbers)


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
    losses = losses_of(maps, things)
    assert {name: round(loss.item(), 4) for name, loss in losses.items()} == dict.fromkeys(losses, 0.0)
    peaks = find_peaks(maps, 0.3)
    assert sorted(peaks.label.tolist()) == [4, 22]
    order = peaks.label.argsort()
    np.testing.assert_allclose(peaks.box[order].numpy(), things.boxes[0, :2].numpy(), atol=1e-5)
    for name, values in maps._asdict().items():
        wrong = torch.linspace(40, 0, values.shape[1])[None, :, None, None]
        worse = maps._replace(**{name: values + wrong})
        changed = losses_of(worse, things)
        key = {"log_size": "size", "attribute": "hat"}.get(name, name)
        assert changed[key] > losses[key] + 0.01, name


def test_figure_without_one_of_the_hats_should_have_none() -> None:
    maps = Maps(*(torch.zeros(1, channels, 16, 16) for channels in (28, 2, 2, 10, 2)))
    none = batch([[0.1, 0.2, 0.4, 0.8]], [22], [-1], [-1])
    maps.attribute[:] = -20.0
    assert losses_of(maps, none)["hat"].item() == pytest.approx(0.0, abs=1e-4)
    maps.attribute[:, 0] = 20.0
    assert losses_of(maps, none)["hat"].item() > 1.0


def test_batch_without_anything_in_it_teaches_that_nothing_is_there() -> None:
    maps = Maps(*(torch.zeros(1, channels, 16, 16) for channels in (28, 2, 2, 10, 2)))
    losses = losses_of(maps, batch([[-1.0] * 4], [-1], [-1], [-1]))
    assert losses["heat"].item() > 1.0
    assert {losses[name].item() for name in ("offset", "size", "colour", "hat")} == {0.0}
