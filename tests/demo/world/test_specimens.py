from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.demo.world.faults import SPOILERS, quality_of
from diptych.demo.world.scenes import scene
from diptych.demo.world.specimens import SPECIMEN_FAULTS, specimen


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_specimen_shows_the_scene_of_its_seed_and_is_the_same_every_time(seed: int) -> None:
    one, again = (specimen(seed, SPECIMEN_FAULTS) for _ in range(2))
    assert one.scene == scene(seed)
    assert one.quality == quality_of(one.fault, one.strength)
    assert one.image.tobytes() == again.image.tobytes()


def test_specimens_have_the_faults_that_are_asked_for() -> None:
    assert {specimen(seed, {"flagged": 1, "": 2}, {32: 1}).fault for seed in range(20)} == {"flagged", ""}
    assert specimen(3, {"cropped": 1}, {64: 1}).image.size < (64, 64)
    assert set(SPECIMEN_FAULTS) - {""} <= {*SPOILERS, "recompressed"}
    assert sum(SPECIMEN_FAULTS.values()) == 100
