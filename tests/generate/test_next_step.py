"""The commands that are named after images were made run as they are printed."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny_generated import Made, make_generated

from diptych.cli import main
from diptych.config.load import load
from diptych.data.dataset import open_dataset
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.protocols import PROTOCOLS
from diptych.generate.next_configs import OF_SETS
from diptych.generate.next_step import next_lines
from diptych.generate.prompts import PROMPT_SETS
from diptych.lookup import resolve
from diptych.ready_configs import ready_configs

OF_NO_BENCHMARK = {"csv", "demo", "drawn", "jsonl", "txt"}

EACH = [
    ([Made(model, 0) for model in ("one", "two")], "two_models"),
    ([Made("one", 0, setting=setting) for setting in ("a", "b")], "two_settings"),
    ([Made("one", 0, benchmark="geneval")], "geneval_score"),
]


@pytest.mark.parametrize(("made", "config"), EACH, ids=[config for _, config in EACH])
def test_what_there_is_to_compare_leads_to_a_config_that_is_there(
    made: list[Made], config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_generated(tmp_path / "of mine", made)
    first, second = next_lines(open_dataset(tmp_path / "of mine"), Path("of mine"))
    assert first == f"Next: diptych init {config}"
    for line in (first, f"{second} --dry-run"):
        result = CliRunner().invoke(main, shlex.split(line.removeprefix("Next:"))[1:])
        assert result.exit_code == 0, result.output


def test_one_model_alone_is_scored_and_images_without_prompts_are_compared_with_others(tmp_path: Path) -> None:
    make_generated(tmp_path / "one", [Made("one", 0), Made("one", 1)])
    assert next_lines(open_dataset(tmp_path / "one"), Path("one")) == [
        "Next: diptych score one clip_similarity --set encoder.architecture=ViT-L-14 --set encoder.pretrained=openai"
    ]


def test_where_no_image_is_there_nothing_is_said(tmp_path: Path) -> None:
    make_generated(tmp_path / "none", [Made("one", 0, picture=None)])
    assert next_lines(open_dataset(tmp_path / "none"), Path("none")) == []


def test_each_benchmark_has_a_config() -> None:
    assert OF_SETS.keys() | OF_NO_BENCHMARK == PROMPT_SETS.keys()


@pytest.mark.parametrize("kind", OF_SETS)
def test_images_of_a_prompt_set_are_judged_by_its_own_protocols_and_called_as_they_are(
    kind: str, tmp_path: Path
) -> None:
    make_generated(tmp_path / "flux", [Made("flux", 0, benchmark="mine")], kinds={"mine": kind})
    first, second = next_lines(open_dataset(tmp_path / "flux"), tmp_path / "flux")
    name = first.removeprefix("Next: diptych init ")
    words = shlex.split(second)
    assert words[:4] == ["diptych", "evaluate", "run", f"{name}.yaml"]
    config = load(ready_configs()[name].path, EvaluateConfig, words[5::2])
    assert config.datasets["images"].path == tmp_path / "flux"
    assert {resolve(PROTOCOLS, "protocol", one.protocol).prompts for one in config.protocols} <= {kind}
    assert config.protocols or config.distances
