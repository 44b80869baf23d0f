import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from diptych.demo.world.captions import caption_of
from diptych.demo.world.drawing import MIN_SIZE, draw
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.palette import COLOURS, PAINTS
from diptych.demo.world.parts import Kind
from diptych.demo.world.scenes import Figure, Scene, Thing, scene
from diptych.demo.world.shapes import Plane, union
from diptych.demo.world.styles import STYLES
from diptych.demo.world.things import KINDS
from diptych.demo.world.truth import truth_of

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "demo_scenes.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
ALL_KINDS = {**KINDS, **OCCUPATIONS}


def without_things(drawn: Scene) -> Scene:
    return replace(drawn, things=(), relation=None, figure=None)


def boxes_of(drawn: Scene, size: int) -> list[tuple[int, int, int, int]]:
    truth = truth_of(drawn, size)
    return [thing.box for thing in truth.things] + ([truth.figure.box] if truth.figure else [])


def changed_by_things(drawn: Scene, size: int) -> npt.NDArray[np.int64]:
    """Return by how much the things change each pixel: the largest difference of a channel."""
    difference = draw(drawn, size).astype(np.int64) - draw(without_things(drawn), size)
    return np.asarray(np.abs(difference).max(axis=2))


def one_thing(kind: str, colour: str, style: str = "flat", background: str = "sky") -> Scene:
    return Scene(7, "single", style, background, 760, (Thing(kind, colour, "large", 512, 512, 420),))


def near(pixels: npt.NDArray[np.uint8], rgb: tuple[float, float, float], within: int = 12) -> int:
    """Return how many pixels have about that colour."""
    return int((np.abs(pixels.astype(np.int64) - np.array(rgb)).max(axis=2) <= within).sum())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['seed']}-{case['size']}")
def test_seed_draws_the_bytes_that_it_has_always_drawn(case: dict[str, Any]) -> None:
    drawn = scene(case["seed"])
    assert caption_of(drawn) == case["caption"]
    assert hashlib.sha256(draw(drawn, case["size"]).tobytes()).hexdigest() == case["sha256"]


def test_golden_cases_hold_everything_there_is() -> None:
    scenes = [scene(case["seed"]) for case in CASES]
    assert {drawn.style for drawn in scenes} == set(STYLES)
    assert {kind for drawn in scenes for kind in drawn.kinds} == set(ALL_KINDS)
    assert {thing.colour for drawn in scenes for thing in drawn.things} == set(COLOURS)


@pytest.mark.parametrize("size", [16, 33, 64, 100, 256])
def test_picture_has_the_asked_for_size(size: int) -> None:
    pixels = draw(scene(3), size)
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match=f"size 15 is too small to draw a scene; the least is {MIN_SIZE}"):
        draw(scene(0), MIN_SIZE - 1)


@pytest.mark.parametrize("size", [32, 64, 129])
def test_outside_the_boxes_of_all_things_is_the_background_alone(size: int) -> None:
    for seed in range(40):
        drawn = scene(seed)
        changed = changed_by_things(drawn, size)
        for left, top, right, bottom in boxes_of(drawn, size):
            changed[top:bottom, left:right] = 0
        assert not changed.any(), seed


def test_no_thing_is_cut_off_at_the_edge_of_its_box() -> None:
    for seed in range(120):
        drawn = scene(seed)
        changed = changed_by_things(drawn, 128)
        for left, top, right, bottom in boxes_of(drawn, 128):
            window = changed[top:bottom, left:right]
            rim = max(window[0].max(), window[-1].max(), window[:, 0].max(), window[:, -1].max())
            assert rim <= 12, seed  # of 255: the last trace of a soft edge


def test_box_is_not_much_larger_than_its_thing() -> None:
    for seed in range(60):
        drawn = scene(seed)
        changed = changed_by_things(drawn, 128) > 20
        for left, top, right, bottom in boxes_of(drawn, 128):
            rows, columns = (np.flatnonzero(changed[top:bottom, left:right].any(axis=axis)) for axis in (1, 0))
            empty = (rows[0], columns[0], bottom - top - 1 - rows[-1], right - left - 1 - columns[-1])
            assert max(empty) <= 16, seed  # turned things have empty corners


@pytest.mark.parametrize("name", ALL_KINDS)
def test_kind_keeps_to_the_extents_that_it_claims(name: str) -> None:
    kind: Kind = ALL_KINDS[name]
    values = np.linspace(-1.3, 1.3, 521)
    plane = Plane(values[np.newaxis, :], values[:, np.newaxis])
    rows, columns = np.nonzero(union(*(part.distance for part in kind.parts(plane))) < 0)
    reach_u, reach_v = np.abs(values[columns]).max(), np.abs(values[rows]).max()
    assert kind.half_width - 0.03 <= reach_u <= kind.half_width + 1e-9
    assert kind.half_height - 0.03 <= reach_v <= kind.half_height + 1e-9


@pytest.mark.parametrize("name", ALL_KINDS)
def test_paints_of_a_kind_are_known_and_its_own_colour_is_among_them(name: str) -> None:
    plane = Plane(np.zeros((1, 1)), np.zeros((1, 1)))
    paints = {part.paint for part in ALL_KINDS[name].parts(plane)}
    assert "main" in paints
    assert paints <= {"main", "light", "dark", *PAINTS}


@pytest.mark.parametrize("kind", KINDS)
def test_main_colour_fills_more_of_a_thing_than_any_other(kind: str) -> None:
    pixels = draw(one_thing(kind, "red"), 96)
    others = [near(pixels, rgb) for name, rgb in COLOURS.items() if name != "red"]
    assert near(pixels, COLOURS["red"]) > 300
    assert near(pixels, COLOURS["red"]) > max(others)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("colour", COLOURS)
def test_colour_is_told_from_all_others_in_every_style(style: str, colour: str) -> None:
    background = "sunset" if colour == "white" else "plain"
    pixels = draw(one_thing("square", colour, style, background), 96)
    middle = pixels[36:60, 36:60].reshape(-1, 3).mean(axis=0)
    distances = {name: float(np.abs(middle - rgb).sum()) for name, rgb in COLOURS.items()}
    assert min(distances, key=lambda name: distances[name]) == colour


@pytest.mark.parametrize("occupation", OCCUPATIONS)
def test_hat_decides_a_figures_pixels_above_its_face_only(occupation: str) -> None:
    pictures = []
    for hat in HATS:
        figure = Figure(occupation, hat, 512, 512, 420)
        pictures.append(draw(Scene(7, "figure", "flat", "sky", 760, figure=figure), 96))
        assert near(pictures[-1], COLOURS[hat]) > 60
    rows = np.flatnonzero((pictures[0] != pictures[1]).any(axis=(1, 2)))
    assert rows[-1] < 48


def test_occupations_look_different() -> None:
    pictures = [
        draw(Scene(7, "figure", "flat", "plain", 760, figure=Figure(name, "orange", 512, 512, 420)), 64)
        for name in OCCUPATIONS
    ]
    for number, picture in enumerate(pictures):
        assert all(np.abs(picture.astype(np.int64) - other).mean() > 5 for other in pictures[:number])


def test_styles_and_backgrounds_change_the_picture() -> None:
    pictures = {draw(one_thing("fish", "orange", style), 48).tobytes() for style in STYLES}
    assert len(pictures) == len(STYLES)


def test_mirrored_thing_faces_the_other_way() -> None:
    right = one_thing("fish", "orange", background="plain")
    left = replace(right, things=(replace(right.things[0], is_mirrored=True),))
    assert not np.array_equal(draw(right, 64), draw(left, 64))
    assert np.array_equal(draw(right, 64)[:, ::-1], draw(left, 64))


def test_larger_picture_shows_the_same_scene() -> None:
    for seed in (1, 2, 9, 12):
        drawn = replace(scene(seed), style="flat")
        small, large = draw(drawn, 64).astype(np.float64), draw(drawn, 256).astype(np.float64)
        averaged = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
        assert np.abs(small - averaged).mean() < 2.0


def test_drawing_leaves_no_trace_for_the_next_picture() -> None:
    first = draw(scene(5), 64)
    for seed in range(10):
        draw(scene(seed), 64)
    assert np.array_equal(draw(scene(5), 64), first)
