"""The detector of the drawn world as the product loads it, on the shipped weights and on damaged ones."""

import pickle
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import diptych.demo
from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import Scene, scene
from diptych.demo.world.truth import truth_of
from diptych.errors import ConfigError, DataError, Shortage
from diptych.judges import make_judge
from diptych.judges.boxes import centre_net
from diptych.judges.boxes.centre_net import read_config
from diptych.judges.boxes.centre_point import CentrePoint, centre_point
from diptych.judges.contract import Box
from diptych.shortage import telling_shortage

SHIPPED = Path(diptych.demo.__file__).parent / "models" / "detector"
REFERENCE = "package:diptych.demo/models/detector"
SCENES = range(2_000_000_100, 2_000_000_112)


@pytest.fixture(scope="module")
def detector() -> CentrePoint:
    torch.set_num_threads(1)
    return centre_point(weights=REFERENCE, device="cpu")


def drawn(shown: Scene, size: int = 64) -> Image.Image:
    return Image.fromarray(draw(shown, size))


def copy_of_shipped(folder: Path) -> Path:
    shutil.copytree(SHIPPED, folder)
    return folder


@contextmanager
def no_more_memory(but: int) -> Iterator[None]:
    """Let this process have no more than so many further bytes."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + but, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def told(box: Box, trait: str) -> str:
    """Return the likeliest value of a trait, empty where nothing is told of it."""
    likeliest = box.likeliest(trait)
    return likeliest.value if likeliest else ""


def facts(box: Box) -> tuple[str, ...]:
    return (box.label, told(box, "colour"), told(box, "attribute"))


def numbers(box: Box) -> tuple[float, ...]:
    return (*box.corners, box.score)


def sure(found: list[Box]) -> list[Box]:
    return [one for one in found if one.score > 0.3]


def test_shipped_model_is_small_and_knows_the_world(detector: CentrePoint) -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 2_500_000
    assert (len(detector.labels), len(detector.traits["colour"])) == (28, 10)
    assert detector.traits["attribute"] == ("orange", "purple")


@pytest.mark.parametrize("size", [64, 200])
def test_things_are_found_at_their_place_in_a_picture_of_any_size(detector: CentrePoint, size: int) -> None:
    shown = scene(2_000_000_007, layout="relation")
    (found,) = detector.boxes([drawn(shown, size)])
    truth = {thing.kind: thing for thing in truth_of(shown, size).things}
    assert {one.label for one in sure(found)} == set(truth)
    for one in sure(found):
        assert (told(one, "colour"), told(one, "attribute")) == (truth[one.label].colour, "")
        np.testing.assert_allclose(one.corners, truth[one.label].box, atol=0.06 * size)


def test_picture_that_is_no_square_keeps_its_own_pixels(detector: CentrePoint) -> None:
    shown = scene(2_000_000_007, layout="relation")
    wide = drawn(shown, 128).resize((256, 128))
    (found,) = detector.boxes([wide])
    (square,) = detector.boxes([drawn(shown, 128)])
    for one, other in zip(sure(found), sure(square), strict=True):
        assert one.corners[::2] == pytest.approx([2 * x for x in other.corners[::2]], abs=4.0)
        assert one.corners[1::2] == pytest.approx(other.corners[1::2], abs=2.0)


def test_figure_has_an_attribute_and_no_colour(detector: CentrePoint) -> None:
    for seed in SCENES:
        shown = scene(seed, layout="figure")
        assert shown.figure is not None
        (one,) = sure(detector.boxes([drawn(shown)])[0])
        assert (one.label, told(one, "colour"), told(one, "attribute")) == (
            shown.figure.occupation,
            "",
            shown.figure.hat,
        )
        assert [trait.value for trait in one.traits] == ["orange", "purple"]
        assert max(trait.probability for trait in one.traits) > 0.5


def test_hat_of_another_colour_is_unlikely_to_be_any_attribute(detector: CentrePoint) -> None:
    shown = scene(2_000_000_001, layout="figure")
    assert shown.figure is not None
    found = detector.boxes([drawn(replace(shown, figure=replace(shown.figure, hat=hat))) for hat in ("green", "white")])
    for things in found:
        (one,) = sure(things)
        assert one.label == shown.figure.occupation
        assert all(trait.probability < 0.5 for trait in one.traits)


def test_every_colour_has_its_probability(detector: CentrePoint) -> None:
    (found,) = detector.boxes([drawn(scene(2_000_000_007, layout="relation"))])
    for one in sure(found):
        assert tuple(trait.value for trait in one.traits) == detector.traits["colour"]
        assert sum(trait.probability for trait in one.traits) == pytest.approx(1.0)


def test_only_the_labels_that_are_asked_for_are_told(detector: CentrePoint) -> None:
    picture = drawn(scene(2_000_000_007, layout="relation"))
    found, _ = detector.boxes([picture, picture])
    wanted = sure(found)[0].label
    assert detector.boxes([picture, picture], [[wanted], []]) == [[one for one in found if one.label == wanted], []]


def test_nothing_is_found_where_nothing_is(detector: CentrePoint) -> None:
    empty = [replace(scene(seed), things=(), relation=None, figure=None) for seed in SCENES]
    assert [sure(found) for found in detector.boxes([drawn(one) for one in empty])] == [[]] * len(empty)


def test_what_is_found_does_not_depend_on_neighbours(detector: CentrePoint, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [drawn(scene(seed), size) for seed, size in zip(SCENES, [64, 96, 50] * 4, strict=True)]
    together = detector.boxes(pictures)
    monkeypatch.setattr("diptych.judges.boxes.centre_point.CHUNK", 5)
    for other in (detector.boxes(pictures), [detector.boxes([picture])[0] for picture in pictures]):
        for found, again in zip(together, other, strict=True):
            assert [facts(one) for one in found] == [facts(one) for one in again]
            np.testing.assert_allclose(
                [numbers(one) for one in found], [numbers(one) for one in again], rtol=1e-4, atol=1e-4
            )


def test_pictures_may_be_none_or_a_single_pixel(detector: CentrePoint) -> None:
    assert detector.boxes([]) == []
    for one in detector.boxes([Image.new("RGB", (1, 1), (200, 10, 10)), Image.new("RGB", (3000, 2))]):
        assert all(0.1 <= thing.score <= 1.0 for thing in one)


def test_surest_comes_first_and_what_is_too_unsure_is_not_told(detector: CentrePoint) -> None:
    pictures = [drawn(scene(seed)) for seed in SCENES]
    all_scores = [[one.score for one in found] for found in detector.boxes(pictures)]
    assert all(scores == sorted(scores, reverse=True) for scores in all_scores)
    assert detector.least_score == 0.1
    assert min(score for scores in all_scores for score in scores) >= 0.1


def test_making_one_loads_no_weights_and_it_can_be_sent_to_a_worker() -> None:
    made = make_judge("centre_point", {"weights": REFERENCE})
    assert "_model" not in vars(made)
    again = pickle.loads(pickle.dumps(made))
    assert again.identity == made.identity
    assert "_model" not in vars(made)


def test_identity_follows_from_weights_and_config_and_not_from_the_place(tmp_path: Path) -> None:
    folder = copy_of_shipped(tmp_path / "elsewhere")
    first = centre_point(weights=str(folder)).identity
    assert first == centre_point(weights=REFERENCE, device="cpu").identity
    config = folder / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"fish"', '"shark"'), encoding="utf-8")
    assert centre_point(weights=str(folder)).identity != first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "nowhere"}, r"judge 'centre_point': nowhere has no config\.json; weights names a folder with"),
        ({"weights": REFERENCE, "least_score": 0.2}, "unknown option 'least_score'"),
        ({"weights": REFERENCE, "treshold": 0.2}, "unknown option 'treshold'"),
        ({"weights": "package:diptych.nothing/x"}, "there is no package"),
    ],
)
def test_wrong_options_say_what_is_wrong(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_judge("centre_point", options)


def test_device_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="device 'cuda:99': cannot be used here"):
        centre_point(weights=REFERENCE, device="cuda:99").boxes([Image.new("RGB", (64, 64))])


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "other network"])
def test_damaged_weights_are_an_error_in_one_line(damage: str, tmp_path: Path) -> None:
    folder = copy_of_shipped(tmp_path / "damaged")
    path = folder / "model.safetensors"
    data = path.read_bytes()
    if damage == "other network":
        config = folder / "config.json"
        config.write_text(config.read_text(encoding="utf-8").replace('"blocks": 2', '"blocks": 3'), encoding="utf-8")
    else:
        path.write_bytes({"cut": data[:1000], "noise": b"\xff" * 64, "empty": b""}[damage])
    with pytest.raises(
        DataError, match=r"model\.safetensors: does not (load as|fit) the network of its config\.json"
    ) as e:
        centre_point(weights=str(folder), device="cpu").boxes([Image.new("RGB", (64, 64))])
    assert "\n" not in str(e.value)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say how much memory is taken")
def test_weights_that_find_no_memory_are_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    path = SHIPPED / "model.safetensors"
    config = read_config(SHIPPED / "config.json")
    made = centre_net.CentreNet(config)
    monkeypatch.setattr(centre_net, "CentreNet", lambda config: made)
    bytes_left = path.stat().st_size * 3 // 2
    with pytest.raises(Shortage, match="the memory ran out"), telling_shortage(), no_more_memory(bytes_left):
        centre_net.load_net(config, path)
