"""T2I-CompBench from config to store: each category by its own rule, official and corrected side by side."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import own_judges
import pytest
from drawn import picture
from evaluate_configs import call, make_config, read, result_of, run
from own_judges import FOUND, box
from tiny_clip import save_clip
from tiny_generated import Made, make_generated

from diptych.evaluate.config import EvaluateConfig
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


PHRASE = {"questions": [{"question": "a red fish?"}]}  # to which the judge says yes with 0.75
ON_TOP = {**PHRASE, **related("fish", "on top of", "boat")}
COMPLEX = {
    "spatial": ON_TOP,
    "action": PHRASE,
    "spatialaction": {**PHRASE, **related("fish", "on the left of", "boat")},
}


def complex_run(folder: Path, rows: list[Made]) -> None:
    """Score complex prompts by three that judge: answers, boxes and an encoder; ``without_adjectives`` is a column."""
    kinds, carried = {"c": "t2i_compbench_complex"}, {"without_adjectives": "a fish"}
    make_generated(folder / "generated", rows, kinds=kinds, carried=carried)
    judges = {"vqa": {"kind": "own_answers"}, "eye": {"kind": "own_boxes"}}
    encoders = {"clip": {"kind": "open_clip", "options": {"architecture": str(save_clip(folder / "clip"))}}}
    asked = {"protocol": "t2i_compbench_complex", "judge": "vqa", "beside": {"boxes": "eye", "embeddings": "clip"}}
    run(make_config(folder, judges=judges, encoders=encoders, protocols=[asked]))


def complex_rows(checks: Mapping[str, Mapping[str, Any]]) -> list[Made]:
    return [
        Made("one", prompt, category=("complex", part), checks=asked, picture=prompt, benchmark="c")
        for prompt, (part, asked) in enumerate(checks.items())
    ]


def test_complex_image_is_the_mean_of_the_parts_that_its_prompt_has(tmp_path: Path) -> None:
    FOUND[HEIGHT] = [box("fish", 0.8, corners=(1, 1, 9, 9)), box("boat", 0.6, corners=(2, 20, 10, 29))]
    complex_run(tmp_path, complex_rows(COMPLEX))
    label = "t2i_compbench_complex_{}_vqa_eye_clip"
    for rule, on_top in (("official", 0.0), ("corrected", 0.85)):
        own = label.format(rule)
        scores = read(tmp_path, "SELECT key, score, value FROM scores WHERE score LIKE ?", (f"{own}%",))
        columns: dict[str, dict[str, float]] = {}
        for row in scores:
            columns.setdefault(row["score"].removeprefix(own), {})[row["key"]] = row["value"]
        rows = {one.category[1]: one.key for one in complex_rows(COMPLEX)}
        near = {part: max(columns["_similarity.clip_similarity"][key], 0.0) for part, key in rows.items()}
        left_of = columns["_places.place_accuracy"][rows["spatialaction"]]
        assert columns["_places.place_accuracy"][rows["spatial"]] == pytest.approx(on_top)
        wanted = {
            "spatial": (0.75 + on_top) / 2,
            "action": (0.75 + near["action"]) / 2,
            "spatialaction": (0.75 + left_of + near["spatialaction"]) / 3,
        }
        found = {part: columns[".mean_of_parts"][key] for part, key in rows.items()}
        assert found == pytest.approx(wanted)
        whole = result_of(tmp_path, f"{own}.mean_of_parts", model="one")
        assert (whole["value"], whole["n"]) == (pytest.approx(sum(wanted.values()) / 3), 3)
        assert result_of(tmp_path, f"{own}.mean_of_parts", model="one", category="action")["n"] == 1


def test_part_that_nothing_is_asked_of_is_0_upstream_and_left_out_corrected(tmp_path: Path) -> None:
    complex_run(tmp_path, complex_rows({"spatial": PHRASE}))
    values = [
        result_of(tmp_path, f"t2i_compbench_complex_{rule}_vqa_eye_clip.mean_of_parts", model="one")["value"]
        for rule in ("official", "corrected")
    ]
    assert values == pytest.approx([0.375, 0.75])


def test_image_of_which_a_part_is_unscored_has_no_mean_and_says_why(tmp_path: Path) -> None:
    unknown = {**PHRASE, **related("fish", "near", "zebra")}
    complex_run(tmp_path, complex_rows({"spatial": unknown, "action": PHRASE}))
    name = "t2i_compbench_complex_corrected_vqa_eye_clip.mean_of_parts"
    found = result_of(tmp_path, name, model="one")
    assert (found["n"], found["n_unscored"]) == (1, 1)
    assert "unscored: 1 unknown_class" in found["caution"]
    assert result_of(tmp_path, f"{name}_worst", model="one")["value"] == pytest.approx(found["value"] / 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beside": {}}, "t2i_compbench_complex takes labels of those that give boxes and embeddings"),
        ({"protocol": "t2i_compbench_color"}, "t2i_compbench_color takes nothing beside its judge"),
        ({"beside": {"boxes": "ear", "embeddings": "clip"}}, "unknown judge 'ear'"),
        ({"beside": {"boxes": "eye", "embeddings": "eye"}}, "unknown encoder 'eye'"),
    ],
)
def test_protocol_of_several_wants_the_labels_of_all(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    asked = {"protocol": "t2i_compbench_complex", "judge": "eye", "beside": {"boxes": "eye", "embeddings": "clip"}}
    encoders = {"clip": {"kind": "open_clip", "options": {"architecture": "ViT-B-32"}}}
    config = make_config(
        tmp_path, judges={"eye": {"kind": "own_answers"}}, encoders=encoders, protocols=[{**asked, **change}]
    )
    with pytest.raises(ValueError, match=message):
        EvaluateConfig.model_validate(config)


def test_schema_wants_the_labels_of_all_too(tmp_path: Path) -> None:
    schema = jsonschema.Draft202012Validator(EvaluateConfig.model_json_schema())
    asked = {"protocol": "t2i_compbench_complex", "judge": "eye", "beside": {"boxes": "eye", "embeddings": "clip"}}
    alone = {"protocol": "t2i_compbench_color", "judge": "eye"}
    for protocol, is_right in (
        (asked, True),
        ({**asked, "beside": {"boxes": "eye"}}, False),
        ({"protocol": "t2i_compbench_complex", "judge": "eye"}, False),
        (alone, True),
        ({**alone, "beside": {"boxes": "eye"}}, False),
    ):
        assert schema.is_valid(make_config(tmp_path, protocols=[protocol])) == is_right, protocol


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
    assert {row["caution"] for row in rows} == {"unscored: 598 missing"}, "upstream's prompts, of 300"


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name.startswith("t2i_compbench_")])
def test_category_has_300_prompts_of_ten_images(name: str) -> None:
    protocol = find_protocol(name)
    assert (protocol.n_prompts, protocol.cost.images, protocol.prompts) == (300, 10, name)
