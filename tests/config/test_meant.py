"""What a config means is told of a wrong key, at its own line, and in plain words of what is not YAML."""

from pathlib import Path

import pytest

from diptych.config.load import load, read_job
from diptych.curate.config import CurateConfig
from diptych.errors import ConfigError

SOURCE = "job: curate\nsource: {kind: folder, path: a}\n"


def write(folder: Path, text: str) -> Path:
    (folder / "c.yaml").write_text(text)
    return folder / "c.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "score:\n\n  # a comment\n\n  image: {score: image_stats}\n",
            r":3:1: unknown key 'score'; did you mean 'scores'\?$",
        ),
        ("encoder:\n  e: {kind: inception}\n", r":3:1: unknown key 'encoder'; did you mean 'encoders'\?$"),
        ("rules:\n  - {name: a}\n", r":3:1: unknown key 'rules'; did you mean 'select'\?$"),
        ("kind: a\n", r":3:1: unknown key 'kind'; did you mean 'encoders.LABEL.kind' or "),
    ],
)
def test_a_wrong_key_is_told_at_its_line_with_the_one_that_is_meant(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        load(write(tmp_path, SOURCE + text), CurateConfig)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source:\n  kind: a\n path: b\n", "the indentation does not fit the lines above"),
        ("source:\n\tkind: a\n", "a tab stands there; indent with blanks"),
    ],
)
def test_what_is_not_yaml_is_told_in_plain_words(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"not valid YAML: {said}"):
        load(write(tmp_path, text), CurateConfig)


def test_a_misspelt_job_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r":2:1: unknown key 'jobs'; did you mean 'job'\?$"):
        read_job(write(tmp_path, "name: a\njobs: curate\n"))
