import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from drawn import draw_dataset

from diptych.cli import main
from diptych.data.dataset import open_dataset

OWN_SCORE = """
import numpy as np
from diptych.scores import Column

class Words:
    columns = (Column("words", "Number of words, times a factor"),)
    reads = frozenset({"caption"})

    def __init__(self, times: int) -> None:
        self.times, self.identity = times, {"score": "words"}

    def score(self, batch):
        counts = [np.nan if text is None else len(text.split()) * self.times for text in batch.captions]
        return {"words": np.array(counts, np.float32)}

def words(*, times: int = 1):
    return Words(times)
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)])


def test_scores_of_the_command_line_are_computed_and_kept(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set")
    first = call("score", tmp_path / "set", "caption_stats", "clip_similarity", "--encoder", "projection")
    assert first.exit_code == 0, first.output
    assert "caption_words" in first.output
    assert "clip_similarity" in first.output
    again = call("score", tmp_path / "set", "caption_stats", "clip_similarity", "--encoder", "projection")
    assert "Nothing to do" in again.output
    other = call("score", tmp_path / "set", "clip_similarity", "--encoder", "projection", "--set", "encoder.dim=16")
    assert "Nothing to do" not in other.output
    assert len(open_dataset(tmp_path / "set").column_sets("scores")) == 3


def test_a_label_means_the_score_that_was_last_asked_for_by_it(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set")
    where = ("curate", "select", tmp_path / "set", "--json", "--where")
    small, large = ("--encoder", "projection", "--set", "encoder.dim=8"), ("--encoder", "projection")
    call("score", tmp_path / "set", "clip_similarity", *small)
    bare = call(*where, "clip_similarity > 0.1").output
    call("score", tmp_path / "set", "large=clip_similarity", *large)
    assert call(*where, "clip_similarity.clip_similarity > 0.1").output.replace("clip_similarity.", "", 1) == bare
    ambiguous = call(*where, "clip_similarity > 0.1")
    assert ambiguous.exit_code == 1
    assert "large" in ambiguous.output
    call("score", tmp_path / "set", "clip_similarity", *large)
    kept = [
        json.loads(call(*where, f"a: {label}.clip_similarity > 0.1").output)[-1]["rows_out"]
        for label in ("clip_similarity", "large")
    ]
    assert kept[0] == kept[1]
    assert call(*where, "clip_similarity > 0.1").exit_code == 0, "both labels mean one score now"


def test_an_unknown_score_or_owner_of_an_option_is_named(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set")
    assert "did you mean 'caption_stats'" in call("score", tmp_path / "set", "caption_stat").output
    result = call("score", tmp_path / "set", "caption_stats", "--set", "encodr.dim=3")
    assert "write it as LABEL.key=value" in result.output


def test_own_file_is_scored_by_its_factory_and_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_dataset(tmp_path / "set")
    (tmp_path / "mine.py").write_text(OWN_SCORE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = call("score", "set", "mine.py:words", "--set", "words.times=3")
    assert (result.exit_code, "words: words in set" in result.output) == (0, True), result.output
    assert "option 'times'" in call("score", "set", "mine.py:words", "--set", "words.times=many").output
    assert "unknown factory 'wrds'; did you mean 'words'" in call("score", "set", "mine.py:wrds").output
    assert "none.py cannot be read: No such file" in call("score", "set", "none.py:words").output


def test_a_folder_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    result = call("curate", "select", tmp_path, "--where", "1 = 1")
    assert result.exit_code == 1
    assert "not a finished dataset directory" in result.output
    result = call("score", tmp_path, "caption_stats")
    assert result.exit_code == 1
    assert "not a finished dataset directory" in result.output
    assert list(tmp_path.iterdir()) == []


def test_scores_of_the_command_line_are_told_in_json(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set")
    first, again = (call("score", tmp_path / "set", "caption_stats", "--json") for _ in range(2))
    done = json.loads(first.stdout)
    assert first.stderr == again.stderr == ""
    assert done["shards_done"] == 3
    assert "caption_words" in done["scores"]["caption_stats"]["columns"]
    assert Path(done["scores"]["caption_stats"]["path"]).is_dir()
    assert json.loads(again.stdout) == {**done, "shards_done": 0}


def test_a_score_that_goes_on_says_what_was_there(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set")
    first = json.loads(call("score", tmp_path / "set", "caption_stats", "--json").stdout)
    place = Path(first["scores"]["caption_stats"]["path"])
    (place / "00001.parquet").write_bytes(b"damaged")
    assert call("verify", tmp_path / "set", "--repair").exit_code == 0
    again = call("score", tmp_path / "set", "caption_stats").stdout
    assert again.splitlines()[-1] == "2 of 3 shards were there already"
