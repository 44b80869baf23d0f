import numpy as np
from tiny_trainings import DETECTOR

from diptych.demo.training.detector_rows import (
    COLOUR_NAMES,
    LABELS,
    DetectorRows,
    training_picture,
)
from diptych.demo.world.backdrops import UNITS
from diptych.demo.world.figures import HATS
from diptych.demo.world.scenes import scene
from diptych.demo.world.seeds import DETECTOR_ROWS
from diptych.demo.world.truth import truth_of


def test_rows_say_what_is_in_the_pictures(detectable: DetectorRows) -> None:
    seen_figures = 0
    for number in range(DETECTOR.rows):
        shown = scene(DETECTOR_ROWS + number)
        truth = truth_of(shown, UNITS)
        there = detectable.labels[number] >= 0
        if not there.any():
            continue  # a background, or hidden by a sign
        for place in np.flatnonzero(there):
            label = LABELS[detectable.labels[number, place]]
            if shown.figure:
                seen_figures += 1
                assert label == shown.figure.occupation
                assert detectable.colours[number, place] == -1
                assert detectable.hats[number, place] in (-1, HATS.index(shown.figure.hat))
            else:
                thing = truth.things[place]
                assert (label, COLOUR_NAMES[detectable.colours[number, place]]) == (thing.kind, thing.colour)
                assert detectable.hats[number, place] == -1
                np.testing.assert_allclose(detectable.boxes[number, place], np.array(thing.box) / UNITS)
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
