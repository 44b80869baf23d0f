"""What one model learned from measures no other, and nothing is measured on what was learned from."""

from itertools import pairwise

from diptych.demo.training.clip import ClipTraining
from diptych.demo.training.detector import DetectorTraining
from diptych.demo.training.heads import DEFAULT_ROWS
from diptych.demo.training.vae import VaeTraining
from diptych.demo.world import seeds
from diptych.demo.world.plan import plan_rows

PURPOSES = {name: value for name, value in vars(seeds).items() if name.isupper() and name != "MEASURED_WEB"}


def test_purposes_stand_in_the_order_of_their_seeds_far_apart() -> None:
    first = list(PURPOSES.values())
    assert first == sorted(first)
    assert min(later - earlier for earlier, later in pairwise(first)) >= 10_000_000


def test_pictures_to_learn_from_end_where_the_next_purpose_begins() -> None:
    assert max(row.scene.seed for row in plan_rows(100)) < seeds.CLIP_ROWS
    assert seeds.CLIP_ROWS + max(ClipTraining().rows, VaeTraining().rows) < seeds.HEAD_ROWS
    assert seeds.HEAD_ROWS + DEFAULT_ROWS < seeds.DETECTOR_ROWS
    assert seeds.DETECTOR_ROWS + DetectorTraining().rows < seeds.LOOKED_AT


def test_web_to_measure_on_is_beyond_all_others() -> None:
    assert min(row.scene.seed for row in plan_rows(100, seed=seeds.MEASURED_WEB)) > max(PURPOSES.values())
