"""The whole way of images that another program made: imported, judged by a detector, a language model and a reader."""

import json
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import call, call_json, make_config, read, result_of, write_config
from PIL import Image
from report_browser import watch
from safetensors.torch import load_file, save_file
from tiny_judges import save_mask2former
from tiny_vlms import save_qwen3_vl
from written import written

from diptych.data.dataset import open_dataset
from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import scene
from diptych.judges.evidence import KINDS, read_evidence

PERSON, COUCH, MOUSE = ({"class": name, "count": 1} for name in ("person", "couch", "computer mouse"))
PROMPTS = {
    "a photo of a person": {"tag": "single_object", "include": [PERSON]},
    "a photo of a person and a couch": {"tag": "two_object", "include": [PERSON, COUCH]},
    "a photo of two couches": {
        "tag": "counting",
        "include": [{**COUCH, "count": 2}],
        "exclude": [{**COUCH, "count": 3}],
    },
    "a photo of a red couch": {"tag": "colors", "include": [{**COUCH, "color": "red"}]},
    "a photo of a couch left of a person": {
        "tag": "position",
        "include": [PERSON, {**COUCH, "position": ["left of", 0]}],
    },
    "a photo of a red couch and a blue computer mouse": {
        "tag": "color_attr",
        "include": [{**COUCH, "color": "red"}, {**MOUSE, "color": "blue"}],
    },
}
MODELS = ("sdxl", "flux")
METRIC = "geneval_official_mask2former.object_accuracy"


def draw_folder(path: Path) -> Path:
    """Make GenEval's layout of drawn pictures with a word on each, a folder for each model."""
    for model in MODELS:
        for number, (prompt, asked) in enumerate(PROMPTS.items()):
            folder = path / model / f"{number:05d}"
            (folder / "samples").mkdir(parents=True)
            (folder / "metadata.jsonl").write_text(json.dumps({**asked, "prompt": prompt}), encoding="utf-8")
            picture = Image.fromarray(draw(scene(number), 96)).resize((320, 320))
            picture.paste(written([model.upper()]).resize((310, 100)), (0, 0))
            picture.save(folder / "samples" / "00000.png")
    return path


def save_sure_mask2former(folder: Path) -> Path:
    """Save a detector of random weights whose classes are far apart, so that it is sure of some."""
    save_mask2former(folder)
    file = folder / "model.safetensors"
    weights = load_file(file)
    weights["class_predictor.weight"] *= 40
    save_file(weights, file, {"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the imported images as ``generated``, a store with the verdict, and a report."""
    folder = tmp_path_factory.mktemp("verdict")
    images = draw_folder(folder / "images")
    said = call_json("generate", "import", images, "--out", folder / "generated")
    assert (said["layout"], said["rows"], said["usable"]) == ("geneval", 12, 12)
    detector = {"weights": str(save_sure_mask2former(folder / "mask2former")), "least_score": 0.3, "device": "cpu"}
    vlm = {"weights": str(save_qwen3_vl(folder / "qwen")), "device": "cpu"}
    config = make_config(
        folder,
        encoders={"clip": {"kind": "open_clip", "options": {"architecture": "package:diptych.demo/models/clip"}}},
        judges={
            "mask2former": {"kind": "instance_segmentation", "encoder": "clip", "options": detector},
            "qwen": {"kind": "vision_language", "options": vlm},
            "reader": {"kind": "rapidocr"},
        },
        scores={
            "shows": {"score": "vqa_score", "judge": "qwen"},
            "written": {"score": "written_text", "judge": "reader"},
        },
        protocols=[{"protocol": "geneval", "judge": "mask2former"}],
        means=[{"score": "shows.vqa_score"}],
        compare={"by": "model", "baseline": "sdxl"},
    )
    assert call("evaluate", "run", write_config(folder, config)).exit_code == 0
    report = {"job": "report", "store": str(folder / "store.duckdb")}
    (folder / "report.yaml").write_text(json.dumps(report), encoding="utf-8")
    assert call("report", "build", folder / "report.yaml", "--out", folder / "report").exit_code == 0
    return folder


def test_verdict_has_the_protocols_name_and_says_what_it_rests_on(judged: Path) -> None:
    for model in MODELS:
        found = result_of(judged, METRIC, model=model)
        assert (found["n"], found["n_unscored"]) == (6, 0)
        assert 0 <= found["ci_low"] <= found["value"] <= found["ci_high"] <= 1
        assert "6 of 553 prompts" in found["caution"]
    (difference,) = read(judged, "SELECT * FROM differences WHERE metric = ? AND groups = '{}'", (METRIC,))
    assert (difference["a"], difference["b"], difference["n"]) == ("flux", "sdxl", 6)


def test_every_image_has_what_each_judge_saw(judged: Path) -> None:
    evidence = open_dataset(judged / "generated").column_sets("evidence")
    kinds = {one.name.rpartition("-")[0]: one.manifest["identity"]["evidence"] for one in evidence}
    assert kinds == {"instance_segmentation": "boxes", "rapidocr": "text", "vision_language": "answers"}
    for one in evidence:
        kind = KINDS[one.manifest["identity"]["evidence"]]
        seen = [records for file in one.files for records in read_evidence(kind, file).records]
        assert len(seen) == 12
        assert all(seen), "something is to be seen in every picture"
    words = {
        row["text"].splitlines()[0]
        for row in read(judged, "SELECT text FROM scores WHERE score = 'written.written_text'")
    }
    assert words == {"SDXL", "FLUX"}


def test_drawer_shows_what_was_seen_and_tells_which_rule_fails(judged: Path, browser: Any) -> None:
    rule = "geneval_official_mask2former.object"
    told = read(
        judged,
        f"SELECT any_value(text) FILTER (score = '{rule}_problem') AS problem, "
        f"any_value(value) FILTER (score = '{rule}_correct') AS correct "
        "FROM scores JOIN images USING (run_id, dataset, key) GROUP BY shard, shard_row ORDER BY shard, shard_row",
    )
    assert [row["problem"] == "" for row in told] == [row["correct"] == 1 for row in told]
    assert all("expected" in row["problem"] and "at threshold 0." in row["problem"] for row in told if row["problem"])
    assert told[0]["problem"], "nobody is seen in the first picture"
    with watch(browser) as tab:
        tab.open(judged / "report" / "gallery.html", "#sel=0")
        drawer = tab.page.locator("#drawer[open]")
        drawer.locator("svg.boxes path").first.wait_for()
        text = drawer.inner_text()
        for words in ("What instance segmentation saw", "What vision language answered", "What rapidocr read"):
            assert words in text
        assert told[0]["problem"] in text
        assert 'Does this figure show "a photo of a person"? Please answer Yes or No.' in text
        assert "geneval_official_mask2former" in text
        assert (tab.said, tab.foreign) == ([], [])
