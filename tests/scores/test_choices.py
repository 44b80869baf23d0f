"""What a config says of encoders, judges and scores is checked when it is read, with file and line."""

from pathlib import Path

import pytest

from diptych.config.load import load
from diptych.curate.config import CurateConfig
from diptych.errors import ConfigError

HEAD = "job: curate\nsource: {kind: folder, path: src}\n"
MISSING = "the option 'architecture' is missing"
CASES = {
    "encoders: {e: {kind: open_clip, options: {modle: x}}}": "3:43: encoders.e.options.modle: unknown option 'modle'",
    "encoders: {e: {kind: open_clip}}": f"3:12: encoders.e: {MISSING}",
    "encoders: {e: {kind: inception, options: {preproces: x}}}": "'preproces'; did you mean 'preprocess'",
    "scores: {s: {score: clip_similarity}}": "3:10: scores.s: the option 'encoder' is missing",
    "judges: {j: {kind: centre_point, options: {'{a}': 1}}}": "unknown option '{a}'",
}


@pytest.mark.parametrize("text", CASES)
def test_an_option_that_does_not_fit_is_named_with_its_place(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(HEAD + text)
    with pytest.raises(ConfigError) as refused:
        load(path, CurateConfig)
    assert CASES[text] in str(refused.value)
    assert ", got None" not in str(refused.value)


def test_a_value_of_another_type_is_shown_once(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(HEAD + "encoders: {e: {kind: projection, options: {dim: many}}}")
    with pytest.raises(ConfigError, match=r"c\.yaml:3:44: encoders\.e\.options\.dim: option 'dim': .*, got 'many'$"):
        load(path, CurateConfig)


def test_a_file_of_ones_own_is_not_opened_to_check_a_config(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(HEAD + f"scores: {{s: {{score: '{tmp_path}/gone.py:mine', options: {{a: 1}}}}}}")
    assert load(path, CurateConfig).scores["s"].options == {"a": 1}
