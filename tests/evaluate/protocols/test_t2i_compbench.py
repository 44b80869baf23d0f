"""T2I-CompBench from config to store: each category by its own rule, official and corrected side by side."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import own_judges
import pytest
from drawn import picture
from evaluate_configs import call, make_config, read, result_of, run
from own_judges import FOUND, box
from tiny_clip import save_clip
from tiny_generated import Made, make_generated

from diptych.evaluate.protocols import PROTOCOLS, find_protocol
from diptych.judges.contract import Box

HEIGHT = 32  # of the pictures, which are 48 wide


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    own_judges.install(monkeypatch)
    yield
    FOUND.clear()


def related(first: str, place: str, second: str) -> dict[str, Any]:
    return {"relations": [{"first": first, "place": place, "second": second}]}


def made(kind: str, checks: list[Mapping[str, Any]]) -> list[Made]:
    """Return two images of each prompt, of which one asks some checks."""
    category = kind.removeprefix("t2i_compbench_")
    return [
        Made("one", prompt, sample, category=category, checks=what, picture=2 * prompt + sample, benchmark="c")
        for prompt, what in enumerate(checks)
        for sample in range(2)
    ]


def values_of(
    folder: Path, kind: str, column: str, checks: list[Mapping[str, Any]], judge: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the value of each rule of a protocol over such images, by a judge that tests tell what to say."""
    make_generated(folder / "generated", made(kind, checks), kinds={"c": kind})
    judges = {"eye": judge}
    run(make_config(folder, judges=judges, protocols=[{"protocol": kind, "judge": "eye"}]))
    return {rule: result_of(folder, f"{kind}_{rule}_eye.{column}", model="one") for rule in ("official", "corrected")}


def test_phrases_are_a_product_of_each_image_and_a_mean_over_images(tmp_path: Path) -> None:
    """The judge says yes with 0.75 and no with 0.25 to every phrase."""
    checks = [
        {"questions": [{"question": "a red cat?"}, {"question": "a dog?"}]},
        {"questions": [{"question": "a cow?"}]},
    ]
    found = values_of(tmp_path, "t2i_compbench_color", "phrase_product", checks, {"kind": "own_answers"})
    for rule in ("official", "corrected"):
        assert found[rule]["value"] == pytest.approx(((0.5625 + 0.75) / 2), abs=1e-4)
        assert found[rule]["n"] == 4
        assert found[rule]["caution"] == "the prompts of 'c' are not upstream's; 2 of 300 prompts"
        assert "clustered by 2 prompts" in found[rule]["note"]


def test_places_are_counted_by_both_rules_and_what_the_judge_does_not_know_is_told(tmp_path: Path) -> None:
    FOUND[HEIGHT] = [box("fish", 0.8, corners=(1, 1, 9, 9)), box("boat", 0.6, corners=(21, 1, 29, 9))]
    checks = [related("fish", "on the left of", "boat"), related("fish", "on the right of", "boat")]
    unknown = related("fish", "near", "zebra")
    kind = "t2i_compbench_spatial"
    found = values_of(tmp_path, kind, "place_accuracy", [*checks, unknown], {"kind": "own_boxes"})
    assert found["official"]["value"] == pytest.approx((0.85 + 0.0) / 2)
    assert found["corrected"]["value"] == pytest.approx((0.85 + 0.35) / 2)
    assert [found[rule]["n_unscored"] for rule in found] == [2, 2]
    assert "unscored: 2 unknown_class" in found["corrected"]["caution"]
    worst = result_of(tmp_path, f"{kind}_corrected_eye.place_accuracy_worst", model="one")
    assert worst["value"] == pytest.approx((0.85 + 0.35) / 3)


def test_numbers_are_counted_by_both_rules(tmp_path: Path) -> None:
    FOUND[HEIGHT] = [box("boat", corners=(0, 0, 9, 9)), box("boat", corners=(20, 0, 29, 9)), box("fish", 0.4)]
    checks = [{"include": [{"class": "boat", "count": 2}, {"class": "fish", "count": 1}]}]
    found = values_of(tmp_path, "t2i_compbench_numeracy", "count_accuracy", checks, {"kind": "own_boxes"})
    assert [one["value"] for one in found.values()] == [0.5, 0.5], "what is not surer than a half is not there"


def test_judge_that_looks_for_any_label_is_asked_for_the_things_of_a_relation(tmp_path: Path) -> None:
    FOUND[HEIGHT] = [Box("zebra", 0.8, (1, 1, 9, 9)), Box("cup", 0.6, (21, 1, 29, 9)), Box("dog", 1.0, (1, 1, 9, 9))]
    checks = [related("zebra", "on the left of", "cup")]
    options = {"kind": "own_boxes", "options": {"free": True}}
    found = values_of(tmp_path, "t2i_compbench_spatial", "place_accuracy", checks, options)
    assert found["official"]["value"] == pytest.approx(0.85)
    assert own_judges.ASKED[0] == ["cup", "zebra"]


def test_depth_takes_a_judge_that_tells_it(tmp_path: Path) -> None:
    FOUND[HEIGHT] = [box("fish", 0.8), box("boat", 0.6)]
    checks = [related("fish", "in front of", "boat")]
    found = values_of(tmp_path, "t2i_compbench_3d_spatial", "place_accuracy", checks, {"kind": "own_boxes"})
    for one in found.values():
        assert (one["value"], one["reason"]) == (None, "nothing_scored")
        assert "unscored: 2 no_nearness" in one["caution"]


def test_similarity_is_a_hundred_times_the_cosine(tmp_path: Path) -> None:
    kind = "t2i_compbench_non_spatial"
    make_generated(tmp_path / "generated", made(kind, [{}, {}]), kinds={"c": kind})
    options = {"architecture": str(save_clip(tmp_path / "clip"))}
    encoders = {"clip": {"kind": "open_clip", "options": options}}
    run(make_config(tmp_path, encoders=encoders, protocols=[{"protocol": kind, "encoder": "clip"}]))
    found = result_of(tmp_path, f"{kind}_official_clip.clip_score", model="one")
    assert found["n"] == 4
    assert found["unit"] == "100 x max(cosine, 0)"


def test_boxes_of_unidet_come_by_import_under_its_name(shared: Path, tmp_path: Path) -> None:
    """From files named as T2I-CompBench names them, with the detector's boxes beside them, to the number."""
    prompts = shared / "benchmarks" / "t2i_compbench"
    folder = tmp_path / "images" / "sdxl" / "spatial" / "samples"
    folder.mkdir(parents=True)
    names = ["a girl on the top of a frog_000010.png", "a girl on the top of a frog_000011.png"]
    for number, name in enumerate(names):
        (folder / name).write_bytes(picture(number, (64, 64), kind="PNG"))
    options = ["--prompts", "t2i_compbench_spatial", "--set", f"prompts.path={prompts}"]
    result = call("generate", "import", tmp_path / "images", "--out", tmp_path / "generated", *options)
    assert result.exit_code == 0, result.output
    boxes = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "frog"}],
        "annotations": [
            {"image_id": 0, "category_id": 1, "bbox": [10, 2, 20, 20], "score": 0.9},
            {"image_id": 0, "category_id": 2, "bbox": [12, 40, 20, 20], "score": 0.7},
            {"image_id": 1, "category_id": 2, "bbox": [12, 40, 20, 20], "score": 0.7},
        ],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), "utf-8")
    given = [tmp_path / "generated", tmp_path / "boxes.json", "--format", "coco", "--judge", "unidet", "--json"]
    said = call("evaluate", "import-evidence", *given)
    assert said.exit_code == 0, said.output
    judges = json.loads(said.stdout)["judges"]
    judges["unidet"]["options"]["least_score"] = 0.5  # what its authors' script leaves out
    protocols = [{"protocol": "t2i_compbench_spatial", "judge": "unidet"}]
    run(make_config(tmp_path, judges=judges, protocols=protocols))
    rows = read(tmp_path, "SELECT metric, value, n, caution FROM results WHERE metric LIKE '%place_accuracy' AND n = 2")
    found = {row["metric"]: row["value"] for row in rows}
    assert found == {
        "t2i_compbench_spatial_official_unidet.place_accuracy": pytest.approx((0.9 + 0) / 2),
        "t2i_compbench_spatial_corrected_unidet.place_accuracy": pytest.approx((0.9 + 0.175) / 2),
    }
    assert {row["caution"] for row in rows} == {"unscored: 598 missing", None}, "upstream's prompts, of 300"


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name.startswith("t2i_compbench_")])
def test_category_has_300_prompts_of_ten_images(name: str) -> None:
    protocol = find_protocol(name)
    assert (protocol.n_prompts, protocol.cost.images, protocol.prompts) == (300, 10, name)
