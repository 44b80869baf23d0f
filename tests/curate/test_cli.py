import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import draw_dataset, picture
from ingested import pool_rows

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.storage.locks import only_one

NEVER = {"name": "never", "where": "width < 0"}


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)])


def write_config(folder: Path, **changes: Any) -> Path:
    (folder / "in").mkdir(exist_ok=True)
    for number in range(4):
        (folder / f"in/{number}.jpg").write_bytes(picture(number))
        (folder / f"in/{number}.txt").write_text("a picture " * number)
    config = {
        "job": "curate",
        "source": {"kind": "folder", "path": str(folder / "in")},
        "scores": {"words": {"score": "caption_stats"}},
        "select": [{"name": "told", "where": "caption_words > 2"}],
        **changes,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


def test_the_steps_one_by_one_give_what_run_gives(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    assert call("curate", "run", config, "--out", tmp_path / "all").exit_code == 0
    for step in ("ingest", "score", "dedup", "select", "export"):
        result = call("curate", step, config, "--out", tmp_path / "steps")
        assert result.exit_code == 0, result.output
    one, other = open_dataset(tmp_path / "all/selected"), open_dataset(tmp_path / "steps/selected")
    assert one.shards == other.shards
    assert one.rows == 2


def test_the_steps_one_by_one_say_in_json_what_run_says(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    run = json.loads(call("curate", "run", config, "--out", tmp_path / "run", "--json").stdout)
    steps = {}
    for step in ("ingest", "score", "dedup", "export"):
        result = call("curate", step, config, "--out", tmp_path / "run", "--json")
        assert result.stderr == ""
        steps |= json.loads(result.stdout)
    assert list(steps) == ["ingest", "score", "dedup", "export"]
    for step, facts in steps.items():
        assert (facts["is_new"], run[step]["is_new"]) == (False, step != "dedup")
        assert facts.keys() == run[step].keys()
    assert steps["export"]["rows"] == run["export"]["rows"] == 2


def test_a_warning_is_part_of_the_json(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    for path in (tmp_path / "in").glob("*.txt"):
        path.unlink()
    result = call("curate", "ingest", config, "--out", tmp_path / "run", "--json")
    assert "none of 4 images has a caption" in json.loads(result.stdout)["ingest"]["warning"]
    assert result.stderr == ""


@pytest.mark.parametrize(("step", "told"), [("score", "pool"), ("select", "pool"), ("export", "pool")])
def test_a_step_before_its_time_says_which_directory_lacks_what(step: str, told: str, tmp_path: Path) -> None:
    result = call("curate", step, write_config(tmp_path), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert told in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scors": {}}, "unknown key 'scors'; did you mean 'scores'"),
        ({"scores": {"a": {"score": "astetic"}}}, "did you mean 'aesthetic'"),
        (
            {"scores": {"a": {"score": "aesthetic", "encoder": "clop"}}, "encoders": {"clip": {"kind": "projection"}}},
            "'clip'",
        ),
        ({"source": {"kind": "folder", "path": "nowhere"}}, "nowhere: no such folder"),
        ({"select": [{"name": "x", "where": "caption_wrods > 2"}]}, "caption_wrods"),
        ({"select": [{"name": "x", "where": "true"}, {"name": "x", "where": "true"}]}, "'x' is used twice"),
        ({"select": [{"name": "readable", "where": "true"}]}, "'readable' is taken by a built-in rule"),
        ({"dedup": {"radius": 99}}, "dedup.radius"),
        ({"dedup": {"prefer": "width DESC LIMIT 1"}}, "not a list of SQL sort keys"),
        (
            {"export": {"columns": ["caption_word"]}},
            "export.columns: unknown column 'caption_word'; did you mean 'words.caption_words'",
        ),
        ({"scores": {"a": {"score": "caption_stats", "options": {"langage": "en"}}}}, "unknown option 'langage'"),
    ],
)
def test_a_wrong_config_is_named_before_anything_is_written(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    result = call("curate", "run", write_config(tmp_path, **changes), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert told in result.output
    assert not (tmp_path / "out").exists()


def test_a_carried_column_of_a_name_that_a_score_would_have_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    name = "words.caption_words"
    source = {"kind": "folder", "path": str(tmp_path / "in"), "columns": [name], "types": {name: "int64"}}
    config = write_config(tmp_path, source=source)
    result = call("curate", "run", config, "--out", tmp_path / "out")
    assert result.exit_code == 1
    said = f"scores: the data has a column {name!r}; give the score 'words' another label\n"
    assert result.output == f"Error: {config}:2:1: {said}"
    assert not (tmp_path / "out").exists()


def test_a_rule_name_that_is_none_is_part_of_the_condition(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set")
    result = call("curate", "select", tmp_path / "set", "--where", "_a: true")
    assert result.exit_code == 1
    assert "rule 'rule_1'" in result.output


@pytest.mark.parametrize(("where", "steps"), [("out", "all"), ("out/pool", "all"), ("out/selected", "export")])
def test_nobody_else_writes_in_a_run_or_in_its_datasets(tmp_path: Path, where: str, steps: str) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    assert call("curate", "run", config, "--out", out).exit_code == 0
    other = ["--set", 'select=[{"name": "told", "where": "words.caption_words > 4"}]']
    with only_one(tmp_path / where):
        for command in (["run"], ["score"], ["select"])[: 3 if steps == "all" else 1]:
            result = call("curate", *command, config, "--out", out, *other)
            assert (result.exit_code, "another diptych works there" in result.output) == (1, True)
    assert call("curate", "run", config, "--out", out, *other).exit_code == 0
    assert not (out / "selected" / ".lock").exists()


def test_a_run_does_not_write_into_a_dataset_that_something_else_made(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "images")
    before = sorted(path.name for path in (tmp_path / "images").iterdir())
    result = call("curate", "run", write_config(tmp_path), "--out", tmp_path / "images")
    assert result.exit_code == 1
    assert f"{tmp_path}/images: is itself a dataset that test made; give another --out" in result.output
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == before


def test_scores_of_an_export_are_not_lost_to_the_next_one(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    call("curate", "run", config, "--out", tmp_path / "out")
    call("score", tmp_path / "out/selected", "caption_stats")
    rule = '[{"name": "told", "where": "caption_words > 4"}]'
    former, kept = open_dataset(tmp_path / "out/selected"), tmp_path / "out/selected-former-1"
    result = call("curate", "run", config, "--out", tmp_path / "out", "--set", f"select={rule}")
    assert result.exit_code == 0, result.output
    assert f"Warning: the former export holds more than export wrote, and is kept as {kept}" in result.output
    assert open_dataset(kept).fingerprint == former.fingerprint
    assert open_dataset(kept).column_sets("scores")
    assert not open_dataset(tmp_path / "out/selected").column_sets("scores")
    (tmp_path / "out/selected/notes.txt").write_text("seen")
    call("curate", "run", config, "--out", tmp_path / "out")
    assert (tmp_path / "out/selected-former-2/notes.txt").read_text() == "seen"


def test_a_damaged_export_is_mended_under_the_scores_that_somebody_added(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    call("curate", "run", config, "--out", tmp_path / "out")
    call("score", tmp_path / "out/selected", "caption_stats")
    shard = next((tmp_path / "out/selected/data").glob("*.parquet"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-9])
    assert call("curate", "run", config, "--out", tmp_path / "out").exit_code == 0
    assert shard.read_bytes() == whole
    assert open_dataset(tmp_path / "out/selected").column_sets("scores")


def test_a_place_of_the_export_that_is_taken_is_refused_before_anything_is_decided(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "out" / "selected")
    result = call("curate", "run", write_config(tmp_path), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "holds a dataset that test made, and export would lose it; give another --out" in result.output
    assert not (tmp_path / "out" / "pool" / "data").exists()


def test_a_rule_to_try_beside_a_config_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, select=[])
    result = call("curate", "select", config, "--out", tmp_path / "run", "--where", "nonsense >= 640")
    assert result.exit_code == 2
    assert f"--where goes with a dataset, {config} is a config; give {tmp_path / 'run/pool'}" in result.output


def test_a_refused_command_is_not_said_to_make_lost_shards_again_and_stays_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, select=[])
    other = tmp_path / "other"
    other.mkdir()
    (other / "0.jpg").write_bytes(picture(99))
    ingest = ("curate", "ingest", config, "--out", tmp_path / "run")
    assert call(*ingest).exit_code == 0
    refused = (*ingest, "--set", f"source.path={other}")
    assert "made from another input" in call(*refused).output
    pool = tmp_path / "run/pool"
    shards = [file.read_bytes() for file in sorted(pool.glob("data/*.parquet"))]
    for file in pool.glob("data/*.parquet"):
        file.unlink()
    (entry,) = json.loads(call("verify", pool, "--repair", "--json").stdout)
    (made_by,) = entry["made_again_by"][str(pool / "data")]
    assert "source.path" not in made_by
    assert "made from another input" in call(*refused).output
    assert call(*ingest).exit_code == 0
    assert [file.read_bytes() for file in sorted(pool.glob("data/*.parquet"))] == shards


def test_the_funnel_says_how_many_of_the_lost_rows_have_no_value(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set", rows=7, failed=(2,))
    lines = call(
        "curate", "select", tmp_path / "set", "--where", "CASE WHEN width < 0 THEN 1 END > 3"
    ).output.splitlines()
    assert lines[-1].endswith("  CASE WHEN width < 0 THEN 1 END > 3  (6 of the lost without a value)")
    assert not any("without" in line for line in lines[:-1])


def test_rules_of_the_command_line_see_all_scores(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set", rows=6, failed=(2,))
    call("score", tmp_path / "set", "caption_stats")
    result = call(
        "curate", "select", tmp_path / "set", "--json", "--where", "long: caption_words >= 5", "--where", "1 = 1"
    )
    steps = json.loads(result.output)
    assert [(step["rule"], step["rows_in"], step["rows_out"]) for step in steps] == [
        ("readable", 6, 5),
        ("long", 5, 2),
        ("rule_2", 2, 2),
    ]
    assert not (tmp_path / "set/decisions").exists()


def test_a_dry_run_builds_no_encoder_so_it_fetches_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a dry run must not look for weights")

    for name in ("diptych.scores.plan.make_encoder", "diptych.assets._download"):
        monkeypatch.setattr(name, refuse)
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "cache"))
    encoder = {"clip": {"kind": "open_clip", "options": {"architecture": "ViT-L-14", "pretrained": "openai"}}}
    scores = {
        "similarity": {"score": "clip_similarity", "encoder": "clip"},
        "fetched": {"score": "nsfw_mobilenet"},
        "caption": {"score": "caption_stats"},
    }
    rules = ["similarity.clip_similarity > 0.2", "clip_similarity > 0.2", "fetched.nsfw_porn < 1", "caption_words > 2"]
    select = [{"name": f"r{number}", "where": where} for number, where in enumerate(rules)]
    export = {"columns": ["similarity.clip_similarity", "clip_similarity", "caption.caption_words"]}
    config = write_config(tmp_path, encoders=encoder, scores=scores, select=select, export=export)
    result = call("curate", "run", config, "--out", tmp_path / "out", "--dry-run")
    assert (result.exit_code, (tmp_path / "out").exists()) == (0, False), result.output


def test_an_empty_selection_ends_the_run_and_says_which_rule_left_nothing(tmp_path: Path) -> None:
    config = write_config(tmp_path, select=[{"name": "long", "where": "caption_words > 2"}, NEVER])
    result = call("curate", "run", config, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert (
        "none of 4 rows is kept (readable leaves 4, long leaves 2, never leaves 0): nothing to export" in result.output
    )


def test_a_run_without_captions_warns_and_one_that_expects_none_does_not(tmp_path: Path) -> None:
    config = write_config(tmp_path, select=[])
    some = call("curate", "ingest", config, "--out", tmp_path / "some")
    assert (some.stderr, some.stdout) == ("", "ingest  done  4 rows, 4 images, 3 captions\n")
    for sidecar in (tmp_path / "in").glob("*.txt"):
        sidecar.unlink()
    result = call("curate", "run", config, "--out", tmp_path / "run")
    assert result.exit_code == 0
    assert "Warning: none of 4 images has a caption (looked for in sidecars, metadata.jsonl" in result.stderr
    expected = call("curate", "run", config, "--out", tmp_path / "none", "--set", "source.captions=none")
    assert (expected.exit_code, expected.stderr) == (0, "")


def test_captions_of_rows_without_a_picture_are_none_and_tables_beside_pictures_are_named(tmp_path: Path) -> None:
    config = write_config(tmp_path, select=[])
    for sidecar in (tmp_path / "in").glob("*.txt"):
        sidecar.unlink()
    (tmp_path / "in" / "captions.csv").write_text("file_name,text\n00.jpg,a cat\n")
    (tmp_path / "in" / "metadata.csv").write_text("file_name,text\ngone.jpg,a cat\n")
    result = call("curate", "ingest", config, "--out", tmp_path / "run")
    assert "Warning: none of 4 images has a caption (looked for in sidecars, " in result.stderr
    assert "; captions.csv may hold them: call a table with file_name and caption metadata.csv" in result.stderr
    assert result.stdout == "ingest  done  6 rows, 4 images (not_an_image 1, unreadable 1)\n"


def test_captions_that_are_no_utf8_are_counted_aloud(tmp_path: Path) -> None:
    config = write_config(tmp_path, select=[])
    sidecar = next((tmp_path / "in").glob("*.txt"))
    sidecar.write_bytes("caf\u00e9".encode("latin-1"))
    result = call("curate", "ingest", config, "--out", tmp_path / "run")
    first = f"(the first: that of {sidecar.stem}.jpg; save such texts as UTF-8)"
    said = f"Warning: bytes that are no UTF-8 in 1 caption, replaced by \ufffd {first}"
    assert said in result.stderr


def test_sidecars_that_cannot_be_read_are_counted_aloud_and_named_in_the_pool(tmp_path: Path) -> None:
    config = write_config(tmp_path, select=[])
    sidecar = next((tmp_path / "in").glob("*.txt"))
    sidecar.unlink()
    sidecar.with_suffix(".json").write_text("{bad")
    result = call("curate", "ingest", config, "--out", tmp_path / "run")
    said = f"{sidecar.stem}.json is no JSON: Expecting property name"
    assert f"Warning: what lies beside 1 image could not be used (the first: {said}" in result.stderr
    rows = pool_rows(open_dataset(tmp_path / "run" / "pool"))
    assert [row["error"][: len(said)] for row in rows if row["error"]] == [said]
    assert {row["status"] for row in rows} == {"ok"}
    again = call("curate", "ingest", config, "--out", tmp_path / "run", "--json")
    assert json.loads(again.stdout)["ingest"]["captions_unread"] == 1


def test_a_run_without_pictures_ends_before_it_scores(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    for picture_file in (tmp_path / "in").glob("*.jpg"):
        picture_file.write_text("<html>")
    result = call("curate", "run", config, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "pool: none of 4 rows has a picture (not_an_image 4); the first: starts with b'<html>'" in result.output
    assert result.output.rstrip().endswith("; the column error has each")
    assert not (tmp_path / "run/pool/scores").exists()


def test_what_a_trial_of_rules_cannot_heed_is_refused(tmp_path: Path) -> None:
    for option in (("--set", "dedup.radius=2"), ("--out", tmp_path / "x")):
        result = call("curate", "select", tmp_path, "--where", "1 = 1", *option)
        assert result.exit_code == 2
        assert "--out and --set go with a config" in result.output


def test_a_folder_for_a_config_is_one_line(tmp_path: Path) -> None:
    result = call("curate", "run", tmp_path, "--out", tmp_path / "out")
    assert (result.exit_code, result.output) == (1, f"Error: {tmp_path}: a folder, not a config; give the YAML file\n")
