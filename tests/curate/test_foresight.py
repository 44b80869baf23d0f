"""What a run would refuse is refused before it: by form at ``validate``, by the columns at ``--dry-run``."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import draw_folder

from diptych.cli import main

CLIP = {"clip": {"kind": "open_clip", "options": {"architecture": "ViT-L-14", "pretrained": "openai"}}}
MATCH = {"match": {"score": "clip_similarity", "encoder": "clip"}}
HASHED = {"h": {"score": "hashes"}}
AT_VALIDATE: dict[str, tuple[dict[str, Any], str]] = {
    "half a condition": ({"select": [{"name": "r", "where": "width >"}]}, "select.0.where: "),
    "a subquery": (
        {"select": [{"name": "r", "where": "width > (SELECT 1)"}]},
        "select.0.where: subquery is not allowed",
    ),
    "a clock": ({"select": [{"name": "r", "where": "width > now()"}]}, "select.0.where: now() is not allowed"),
    "a clock in disguise": (
        {"select": [{"name": "r", "where": "age(TRY_CAST(error AS TIMESTAMP)) > INTERVAL 1 DAY"}]},
        "select.0.where: age of one date is not allowed; a rule looks at one row and always answers the same",
    ),
    "the machine": ({"select": [{"name": "r", "where": "version() > 'v1'"}]}, "select.0.where: version() is not all"),
    "nothing": ({"select": [{"name": "r", "where": " "}]}, "select.0.where: is empty; write SQL over the columns"),
    "a label in a rule": (
        {"scores": HASHED, "select": [{"name": "r", "where": "hh.reason = 'ok'"}]},
        "select.0.where: unknown label 'hh'; did you mean 'h'?",
    ),
    "a label of an export": ({"scores": HASHED, "export": {"columns": ["g.x"]}}, "export.columns.0: unknown label 'g'"),
    "a label of a hash": ({"dedup": {"perceptual": "h.phash_imagehash"}}, "dedup.perceptual: unknown label 'h'"),
    "an order": ({"dedup": {"prefer": "width DES"}}, "dedup.prefer: "),
    "a column in a rule": (
        {"select": [{"name": "r", "where": "widht > 5"}]},
        "select.0.where: unknown column 'widht'; did you mean 'width'",
    ),
    "a column of a score": (
        {"scores": HASHED, "select": [{"name": "r", "where": "h.nope = 5"}]},
        "select.0.where: unknown column 'h.nope'",
    ),
    "a column of an export": ({"scores": HASHED, "export": {"columns": ["h.nope"]}}, "unknown column 'h.nope'"),
    "a column to prefer": ({"dedup": {"prefer": "wdith DESC"}}, "unknown column 'wdith'; did you mean 'width'?"),
    "a column of a hash": ({"scores": HASHED, "dedup": {"perceptual": "h.nope"}}, "unknown column 'h.nope'"),
    "a column of another source": ({"select": [{"name": "r", "where": "member = 'a'"}]}, "unknown column 'member'"),
    "a column that a model could not give": (
        {"encoders": CLIP, "scores": MATCH, "select": [{"name": "r", "where": "match.clip_simlarity > 0.2"}]},
        "select.0.where: unknown column 'match.clip_simlarity'; did you mean 'match.clip_simi",
    ),
    "a column of an export that a model could not give": (
        {"encoders": CLIP, "scores": MATCH, "export": {"columns": ["match.nope"]}},
        "export.columns.0: unknown column 'match.nope'",
    ),
    "what is no condition": (
        {"select": [{"name": "r", "where": "width > 5"}, {"name": "s", "where": "height + 1"}]},
        "c.yaml:6:3: select.1.where: is of the type INTEGER, neither true nor false",
    ),
    "an order of what has none": ({"dedup": {"prefer": "caption + 1"}}, "c.yaml:2:3: dedup.prefer: No function"),
    "a text for a number": (
        {"scores": {"im": {"score": "image_stats"}}, "select": [{"name": "r", "where": "entropy > 'high'"}]},
        "select.0.where: Could not convert string 'high' to FLOAT",
    ),
    "a text for the number of a model": (
        {"encoders": CLIP, "scores": MATCH, "select": [{"name": "r", "where": "match.clip_similarity > 'high'"}]},
        "select.0.where: Could not convert string 'high' to FLOAT",
    ),
    "a column alone that no score could give": (
        {"encoders": CLIP, "scores": MATCH, "select": [{"name": "r", "where": "clip_simlarity > 0.2"}]},
        "unknown column 'clip_simlarity'",
    ),
}
AT_DRY_RUN: dict[str, tuple[dict[str, Any], str]] = {
    "a file that is not there": ({"scores": {"s": {"score": "nowhere.py:make"}}}, "nowhere.py cannot be read"),
}


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)])


def write_config(folder: Path, changes: dict[str, Any]) -> Path:
    if not (folder / "in").exists():
        draw_folder(folder / "in", 2)
    config = {"job": "curate", "source": {"kind": "folder", "path": str(folder / "in"), "captions": "none"}, **changes}
    (folder / "c.yaml").write_text(yaml.safe_dump(config))
    return folder / "c.yaml"


@pytest.mark.parametrize("what", AT_VALIDATE)
def test_what_its_form_shows_is_refused_at_validate_with_file_and_line(what: str, tmp_path: Path) -> None:
    changes, said = AT_VALIDATE[what]
    config = write_config(tmp_path, changes)
    result = call("validate", config)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: {config}:")
    assert said in line


@pytest.mark.parametrize("what", AT_DRY_RUN)
def test_what_the_columns_show_is_refused_at_a_dry_run(what: str, tmp_path: Path) -> None:
    changes, said = AT_DRY_RUN[what]
    config = write_config(tmp_path, changes)
    assert call("validate", config).exit_code == 0
    result = call("curate", "run", config, "--out", tmp_path / "out", "--dry-run")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.output
    assert said in result.stderr
    assert not (tmp_path / "out").exists()


def test_columns_that_may_be_there_pass_validate(tmp_path: Path) -> None:
    source = {"kind": "webdataset", "path": str(tmp_path), "columns": ["tags", "width"]}
    scores = {**HASHED, "own": {"score": "mine.py:make"}}
    rules = ["len(list_filter(tags, x -> x = caption)) > 0", "FILE_SIZE > 3 AND member = 'a'", "h.reason IS NULL"]
    select = [
        {"name": f"r{number}", "where": where} for number, where in enumerate([*rules, "source_width > 0", "own.x > 0"])
    ]
    assert (
        call("validate", write_config(tmp_path, {"source": source, "scores": scores, "select": select})).exit_code == 0
    )
    result = call("validate", write_config(tmp_path, {"source": source, "scores": HASHED, "select": select}))
    assert result.stderr.splitlines()[0].partition("select.")[2].startswith("1.where: unknown column 'FILE_SIZE'")


def test_the_reason_of_a_score_whose_weights_are_not_there_is_a_column(tmp_path: Path) -> None:
    weights = {"nsfw": {"score": "nsfw_mobilenet", "options": {"weights": str(tmp_path / "nowhere.h5")}}}
    config = write_config(tmp_path, {"scores": weights, "select": [{"name": "r", "where": "nsfw.Reason IS NULL"}]})
    assert call("validate", config).exit_code == 0
    result = call("curate", "run", config, "--out", tmp_path / "out", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_age_between_two_dates_looks_at_no_clock(tmp_path: Path) -> None:
    where = "age(TIMESTAMP '2026-01-02', TIMESTAMP '2026-01-01') > INTERVAL 1 HOUR"
    assert call("validate", write_config(tmp_path, {"select": [{"name": "r", "where": where}]})).exit_code == 0


def test_a_struct_and_a_column_called_as_a_function_are_no_labels(tmp_path: Path) -> None:
    source = {"kind": "parquet", "path": str(tmp_path), "columns": ["facts", "user"]}
    select = [
        {"name": "a", "where": "facts.x > 1"},
        {"name": "b", "where": "user = 'me'"},
        {"name": "c", "where": "data.width > 1"},
    ]
    assert call("validate", write_config(tmp_path, {"source": source, "select": select})).exit_code == 0
