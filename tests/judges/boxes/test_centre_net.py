from pathlib import Path
from typing import Any

import pytest
import torch

from diptych.errors import DataError
from diptych.judges.boxes.centre_net import (
    MAX_LOG_SIZE,
    CentreConfig,
    CentreNet,
    Maps,
    find_peaks,
    normalised,
    read_config,
)

FACTS: dict[str, Any] = {
    "side": 32,
    "widths": (4, 6, 8, 10),
    "blocks": 1,
    "labels": ("boat", "cook", "fish"),
    "coloured": ("boat", "fish"),
    "attributed": ("cook",),
    "colours": ("blue", "red"),
    "attributes": ("orange", "purple"),
}
CONFIG = CentreConfig.model_validate(FACTS)


def empty_maps(pictures: int = 1, cells: int = 8) -> Maps:
    shapes = [(pictures, channels, cells, cells) for channels in (3, 2, 2, 2, 2)]
    return Maps(torch.full(shapes[0], -9.0), *(torch.zeros(shape) for shape in shapes[1:]))


def test_maps_have_a_cell_per_four_pixels() -> None:
    torch.manual_seed(0)
    maps = CentreNet(CONFIG).eval()(torch.zeros(2, 3, 32, 32))
    assert [tuple(values.shape) for values in maps] == [(2, channels, 8, 8) for channels in (3, 2, 2, 2, 2)]


def test_untrained_network_finds_nothing() -> None:
    torch.manual_seed(0)
    net = CentreNet(CONFIG).eval()
    assert len(find_peaks(net(torch.zeros(4, 3, 32, 32)), 0.3).score) == 0


def test_pixels_go_from_minus_one_to_one() -> None:
    pixels = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 2, 1).expand(1, 1, 2, 3)
    values = normalised(pixels)
    assert values.shape == (1, 3, 1, 2)
    assert values[0, 0, 0].tolist() == [-1.0, 1.0]


def test_peak_is_read_where_it_is() -> None:
    maps = empty_maps(2)
    maps.heat[1, 2, 3, 5] = 2.0
    maps.offset[1, :, 3, 5] = torch.tensor([0.25, -0.5])
    maps.log_size[1, :, 3, 5] = torch.tensor([2.0, 4.0]).log()
    maps.colour[1, :, 3, 5] = torch.tensor([0.0, 3.0])
    maps.attribute[1, :, 3, 5] = torch.tensor([-2.0, 0.0])
    peaks = find_peaks(maps, 0.1)
    assert (peaks.picture.tolist(), peaks.label.tolist()) == ([1], [2])
    assert peaks.score.item() == pytest.approx(0.880797)  # sigmoid(2)
    # Centre at (5.75, 3.0) of 8 cells, 2 wide and 4 high.
    assert peaks.box[0].tolist() == pytest.approx([4.75 / 8, 1.0 / 8, 6.75 / 8, 5.0 / 8])
    assert peaks.colour[0].tolist() == pytest.approx([0.0474259, 0.9525741])
    assert peaks.attribute[0].tolist() == pytest.approx([0.1192029, 0.5])


def test_one_place_has_one_thing_and_the_likeliest() -> None:
    maps = empty_maps()
    maps.heat[0, 0, 2, 2], maps.heat[0, 1, 2, 2] = 1.0, 1.5  # the same cell
    maps.heat[0, 2, 3, 3] = 1.2  # a neighbour
    maps.heat[0, 2, 6, 6] = 0.5
    peaks = find_peaks(maps, 0.1)
    assert peaks.label.tolist() == [1, 2]
    assert peaks.score.tolist() == sorted(peaks.score.tolist(), reverse=True)


def test_of_two_boxes_that_are_one_thing_the_surer_is_kept() -> None:
    maps = empty_maps(2)
    for picture, column, logit in ((0, 2, 2.0), (0, 4, 1.5), (0, 6, 1.0), (1, 4, 1.0)):
        maps.heat[picture, 0, 4, column] = logit
    maps.log_size[:] = torch.tensor([7.0, 7.0]).log()[:, None, None]
    # Boxes of 7 cells: two cells apart they share 5 of 9, four apart 3 of 11. What is dropped drops nothing itself.
    peaks = find_peaks(maps, 0.1)
    assert peaks.picture.tolist() == [0, 0, 1]
    assert peaks.score.tolist() == pytest.approx([0.880797, 0.731059, 0.731059])


def test_sure_neighbours_are_not_taken_for_two_things() -> None:
    maps = empty_maps()
    maps.heat[0, 0, 2, 2], maps.heat[0, 0, 2, 3] = 40.0, 50.0  # probabilities of exactly 1 in float32
    assert len(find_peaks(maps, 0.1).score) == 1


def test_peaks_are_ordered_by_picture_and_then_by_score() -> None:
    maps = empty_maps(3)
    for picture, row, logit in ((2, 1, 0.5), (0, 1, 0.1), (2, 5, 2.0), (0, 5, 1.0)):
        maps.heat[picture, 0, row, 4] = logit
    peaks = find_peaks(maps, 0.1)
    assert peaks.picture.tolist() == [0, 0, 2, 2]
    assert peaks.score.tolist() == pytest.approx([0.731059, 0.524979, 0.880797, 0.622459])
    assert (peaks.box[:, 1] > 0.5).tolist() == [True, False, True, False]


def test_boxes_stay_in_the_picture_whatever_the_network_says() -> None:
    maps = empty_maps()
    maps.heat[0, 0, 0, 0] = 1.0
    maps.log_size[0, :, 0, 0] = 100.0 * MAX_LOG_SIZE
    assert find_peaks(maps, 0.1).box[0].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_what_is_less_sure_is_not_told() -> None:
    maps = empty_maps()
    maps.heat[0, 0, 2, 2], maps.heat[0, 0, 6, 6] = 0.0, -0.1
    assert find_peaks(maps, 0.5).score.tolist() == [0.5]
    assert len(find_peaks(maps, 0.51).score) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": 30}, "side: has to be a multiple of 16"),
        ({"widths": (4, 6, 8)}, "widths.3: is missing"),
        ({"widths": (4, 6, 8, 0)}, r"widths are in \[1, 4096\]"),
        ({"labels": ()}, "labels: has too few: 0, of 1 at least"),
        ({"labels": ("boat", "boat", "cook", "fish")}, "labels hold a name twice"),
        ({"colours": ("",)}, "colours hold a name twice, or an empty one"),
        ({"coloured": ("giraffe",)}, "coloured and attributed hold names that are no labels"),
        ({"depth": 3}, "depth: Extra inputs are not permitted"),
    ],
)
def test_config_that_holds_nothing_together_says_so(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    import json

    path = tmp_path / "config.json"
    path.write_text(json.dumps({**FACTS, **change}), encoding="utf-8")
    with pytest.raises(DataError, match=rf"config\.json: describes no centre-point network: .*{message}"):
        read_config(path)


def test_config_that_is_no_json_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"\xff\x00")
    with pytest.raises(DataError, match=r"config\.json: describes no centre-point network: Invalid JSON"):
        read_config(tmp_path / "config.json")
