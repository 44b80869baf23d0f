"""A rule over a column that is not there is told what would make it."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from drawn import draw_folder, picture

import diptych
from diptych.cli import main
from diptych.errors import ConfigError, DataError

OPEN_CLIP = "--set encoder.architecture=ViT-L-14 --set encoder.pretrained=openai"


def call(*arguments: object) -> str:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)]).output


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool that was scored, and that grew by a shard afterwards."""
    folder = tmp_path_factory.mktemp("grown")
    draw_folder(folder / "in", 3)
    config = folder / "c.yaml"
    config.write_text(yaml.safe_dump({"job": "curate", "source": {"kind": "folder", "path": str(folder / "in")}}))
    call("curate", "ingest", config, "--out", folder)
    call("score", folder / "pool", "words=caption_stats", "colours=image_stats")
    (folder / "in/new.jpg").write_bytes(picture(9))
    call("curate", "ingest", config, "--out", folder, "--extend")
    call("score", folder / "pool", "colours=image_stats")
    return folder / "pool"


@pytest.mark.parametrize("name", ["caption_words", "words.caption_words"])
def test_a_score_that_lacks_shards_is_said_to_be_unfinished_with_what_finishes_it(name: str, grown: Path) -> None:
    said = call("curate", "select", grown, "--where", f"{name} > 0")
    assert "the score 'words' has it for 1 of 2 shards" in said
    assert f"finish it: diptych score {grown} words=caption_stats\n" in said
    assert "did you mean" not in said
    assert "rule" in call("curate", "select", grown, "--where", "colours.brightness > 0").splitlines()[0]


def test_a_program_that_reads_the_dataset_is_told_the_same(grown: Path) -> None:
    dataset = diptych.open_dataset(grown)
    with pytest.raises(ConfigError, match="the score 'words' has it for 1 of 2 shards; finish it: diptych score"):
        dataset.pandas("caption_words")
    with pytest.raises(DataError, match="the score 'words' has it for 1 of 2 shards; finish it: diptych score"):
        dataset.query("caption_words")
    assert dataset.pandas("brightness").shape == (4, 1)


def test_a_column_of_a_score_that_was_never_computed_comes_with_the_command_that_computes_it(grown: Path) -> None:
    said = call("curate", "select", grown, "--where", "clip_similarity > 0.2")
    assert said.endswith(f"compute it: diptych score {grown} clip_similarity {OPEN_CLIP}\n")
    said = call("curate", "select", grown, "--where", "aesthetic_v2 > 5")
    assert said.endswith(f"compute it: diptych score {grown} aesthetic {OPEN_CLIP}\n")


def test_a_column_that_only_a_judge_could_give_is_not_promised_by_a_command_that_lacks_one(grown: Path) -> None:
    said = call("curate", "select", grown, "--where", "vqa_score > 0.2")
    assert "the score vqa_score would have it, with a judge" in said


def test_a_rule_of_a_config_over_a_score_that_it_does_not_ask_for_is_told_so(grown: Path, tmp_path: Path) -> None:
    rules = [{"name": "fits", "where": "clip_similarity > 0.2"}]
    source = {"kind": "folder", "path": str(grown.parent / "in")}
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump({"job": "curate", "source": source, "select": rules}))
    said = call("curate", "run", config, "--out", tmp_path / "run", "--dry-run")
    assert "the score clip_similarity would have it; name that under scores" in said


def test_a_misspelt_column_is_likened_to_those_that_are_there(grown: Path) -> None:
    assert "did you mean 'width'" in call("curate", "select", grown, "--where", "widht > 3")
