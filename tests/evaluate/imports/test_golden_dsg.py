"""DSG-1k from the answers that its authors released: all nine figures of their README."""

import json
from pathlib import Path

import yaml
from click.testing import CliRunner
from drawn import picture
from evaluate_configs import make_config, read

from diptych.cli import main
from diptych.evaluate.protocols.dsg import PUBLISHED


def command(*given: str) -> str:
    result = CliRunner().invoke(main, list(given))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_released_answers_give_the_nine_published_figures(shared: Path, tmp_path: Path) -> None:
    released = shared / "benchmarks" / "dsg1k"
    (tmp_path / "picture.jpg").write_bytes(picture(0))
    (tmp_path / "images.csv").write_text("file,prompt_id\npicture.jpg,tifa160_134\n")
    options = ["--prompts", "dsg", "--set", f"prompts.path={released / 'dsg-1k-anns.csv'}", "--model", "sd2dot1"]
    command("generate", "import", str(tmp_path / "images.csv"), "--out", str(tmp_path / "generated"), *options)
    answers = released / "vqa_answers_release" / "pali17b_dsg.csv"
    given = [str(tmp_path / "generated"), str(answers), "--format", "dsg", "--judge", "pali", "--json"]
    facts = json.loads(command("evaluate", "import-evidence", *given))
    config = make_config(tmp_path, judges=facts["judges"], protocols=[{"protocol": "dsg", "judge": "pali"}])
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    command("evaluate", "run", str(tmp_path / "config.yaml"))
    rows = read(tmp_path, "SELECT * FROM results WHERE metric = 'dsg_official_pali.question_accuracy'")
    found = {row["groups"].get("category", "all"): round(row["value"], 3) for row in rows}
    assert found == PUBLISHED, "tifa160_134, which the file lacks, has a picture and counts as wrong"
    (whole,) = (row for row in rows if "category" not in row["groups"])
    assert "78 of 8,182 questions without an answer, wrong: 77 failed, 1 unparsed" in whole["caution"]
    assert (facts["images"], facts["images_told"], facts["unanswered"]) == (
        1060,
        1059,
        {"failed": 77, "unparsed": 1},
    )
    assert facts["misfits"] == {}
