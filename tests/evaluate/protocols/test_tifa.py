"""TIFA from what its authors' sample says: the score of each caption, the mean and the accuracy by type of element."""

import json
from pathlib import Path

import pytest
from drawn import picture
from evaluate_configs import call, call_json, make_config, read, run

# sample/sample_evaluation_result.json of Yushi-Hu/tifa at 8e37050, by mPLUG-large: its wrong choices, and the scores.
WRONG = {"are there dogs?": "no", "are there two dogs?": "no", "how many dogs are in the picture?": "1"}
AVERAGE = 0.8125
BY_TYPE = {"animal/human": 0.75, "object": 1, "location": 1, "activity": 1, "color": 1, "counting": 1 / 3}
BY_CAPTION = {"coco": 1.0, "drawbench": 0.625}


def test_the_answers_of_the_sample_give_its_published_scores(shared: Path, tmp_path: Path) -> None:
    sample = shared / "benchmarks" / "tifa_v1" / "sample_question_answers.json"
    (tmp_path / "images").mkdir()
    for number, name in enumerate(("coco_301091", "drawbench_52")):
        (tmp_path / "images" / f"{name}.png").write_bytes(picture(number, kind="PNG"))
    options = ["--prompts", "tifa", "--set", f"prompts.path={sample}", "--model", "one"]
    made = call("generate", "import", tmp_path / "images", "--out", tmp_path / "generated", *options)
    assert made.exit_code == 0, made.output
    answers = [
        {
            "prompt_id": one["id"],
            "question": one["question"],
            "answer": WRONG.get(one["question"], one["answer"]) if one["id"] == "drawbench_52" else one["answer"],
        }
        for one in json.loads(sample.read_text("utf-8"))
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in answers), "utf-8")
    given = [tmp_path / "generated", tmp_path / "answers.jsonl", "--format", "answers", "--judge", "mplug"]
    facts = call_json("evaluate", "import-evidence", *given)
    run(make_config(tmp_path, judges=facts["judges"], protocols=[{"protocol": "tifa", "judge": "mplug"}]))
    for rule in ("official", "corrected"):
        rows = read(tmp_path, f"SELECT * FROM results WHERE metric = 'tifa_{rule}_mplug.question_accuracy'")
        found = {row["groups"].get("category"): row["value"] for row in rows}
        assert found == pytest.approx({None: AVERAGE, **BY_CAPTION})
        rows = read(tmp_path, f"SELECT * FROM results WHERE metric = 'tifa_{rule}_mplug.questions_right'")
        kinds = {row["groups"]["question_kind"]: row["value"] for row in rows if "question_kind" in row["groups"]}
        assert kinds == pytest.approx(BY_TYPE)
