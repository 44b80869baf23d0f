"""Configs: what a grid expands to, how settings are called, and errors that name the key."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from diptych.config.load import load
from diptych.errors import ConfigError
from diptych.generate.backends.asked import Setting, Size, parse_size
from diptych.generate.config import GenerateConfig, SettingChoice

BASE = """
job: generate
prompts:
  - {kind: geneval}
models:
  a: {path_or_id: here}
  b: {path_or_id: there}
"""


def load_text(text: str, path: Path, overrides: tuple[str, ...] = ()) -> GenerateConfig:
    path.write_text(text)
    return load(path, GenerateConfig, overrides)


def test_a_list_on_any_axis_makes_a_grid_the_last_axis_fastest() -> None:
    choice = SettingChoice.model_validate(
        {"sampler": ["euler", None], "steps": 20, "guidance": [1, 7.5], "size": [None, 512], "negative": ["", None]}
    )
    found = choice.settings()
    assert len(found) == 2 * 1 * 2 * 2 * 2
    assert found[0] == Setting("euler", 20, 1.0, None, "")
    assert found[1] == Setting("euler", 20, 1.0, None, None)
    assert found[-1] == Setting(None, 20, 7.5, Size(512, 512), None)


def test_nothing_given_is_one_setting_of_all_defaults() -> None:
    assert SettingChoice().settings() == [Setting()]


def test_settings_are_for_all_models_or_for_those_they_name(tmp_path: Path) -> None:
    config = load_text(BASE + "settings:\n  - {steps: 5}\n  - {models: [b], steps: [6, 7]}\n", tmp_path / "c.yaml")
    assert [setting.steps for setting in config.settings_of("a")] == [5]
    assert [setting.steps for setting in config.settings_of("b")] == [5, 6, 7]


@pytest.mark.parametrize(
    ("setting", "label"),
    [
        (Setting(), "default"),
        (Setting("euler", 25, 5.0), "euler-25-g5"),
        (Setting("dpmpp_2m_karras", 30, 7.25, Size(1024, 1024)), "dpmpp_2m_karras-30-g7.25-1024px"),
        (Setting(None, 4, 0.0, Size(768, 512)), "default-4-g0-768x512"),
        (Setting("ddim", negative=""), "ddim-n"),
        (Setting("ddim", negative="blurry"), "ddim-nblurry"),
    ],
)
def test_a_label_says_the_values_that_are_given(setting: Setting, label: str) -> None:
    assert setting.label == label


def test_labels_of_different_settings_differ() -> None:
    negatives = [None, "", "a b", "a, b", "A b", "a.b", "<script>", "x" * 50, "x" * 51, "\u00fc", "n"]
    settings = [Setting(negative=negative) for negative in negatives]
    settings += [Setting(guidance=7.1234567), Setting(guidance=7.1234568), Setting(guidance=7), Setting(steps=7)]
    labels = [setting.label for setting in settings]
    assert len(set(labels)) == len(labels)
    assert all(set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_") for label in labels)


@pytest.mark.parametrize("value", ["512", "512x", "0x512", "-1", 0, 20_000, [512], [512, 512, 512], 5.5, True, "a"])
def test_what_is_no_size_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"size|side"):
        parse_size(value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("setings: []\n", r"c.yaml:8:1: unknown key 'setings'; did you mean 'settings'"),
        ("settings:\n  - {sampler: eular}\n", r"sampler: unknown sampler 'eular'; did you mean 'euler'"),
        ("settings:\n  - {sampler: [euler, dpm]}\n", r"settings.0.sampler.1: unknown sampler 'dpm'"),
        ("settings:\n  - {size: 16385}\n", r"settings.0.size: a side has 1 to 16384 pixels"),
        ("settings:\n  - {steps: 0}\n", r"c.yaml:9:6: settings.0.steps: has to be at least 1, got 0"),
        ("settings:\n  - {steps: []}\n", r"settings.0.steps"),
        ("settings:\n  - {size: big}\n", r'settings.0.size: write a size as 512 or as "768x512"'),
        ("settings:\n  - {guidance: [1, x]}\n", r"settings.0.guidance.1: has to be a number"),
        ("settings:\n  - {models: [c]}\n", r"settings.0.models: unknown model 'c'"),
        ("settings: []\n", r"settings"),
        ("seed: -1\n", "seed: "),
        ("seed: 9223372036854775808\n", "seed: "),
        ("device: gpu\n", "device: "),
        ("format: jpeg\n", "format: "),
        ("batch_size: 0\n", "batch_size: "),
    ],
)
def test_a_mistake_is_named_with_its_place(more: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        load_text(BASE + more, tmp_path / "c.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("prompts=[{kind: genevall}]", "unknown prompt set 'genevall'; did you mean 'geneval'"),
        ("prompts=[]", "prompts"),
        ("prompts=[{kind: csv, path: p.csv, options: {colum: a}}]", "prompts.0.options.colum: unknown option 'colum'"),
        ("prompts=[{kind: csv, path: p.csv, options: {carry: 3}}]", "prompts.0.options.carry: option 'carry': "),
        ("prompts=[{kind: demo, path: p.csv}]", "prompts.0: unknown option 'path'"),
        ("prompts=[{kind: csv}]", "prompts.0: the option 'path' is missing"),
        ("prompts=[{kind: csv, options: {path: p.csv}}]", "prompts.0.options.path: stands beside the options"),
        (
            "prompts=[{kind: geneval}, {kind: geneval}]",
            "prompts.1: two sets have the name 'geneval'; give one",
        ),
        ("models={}", "models"),
        ("models={'a b': {path_or_id: x}}", "models"),
        ("models.a.dtype=float8", "models.a.dtype"),
        ("models.a.options={guidance_scale: 3}", "'guidance_scale' is set by the program"),
        ("models.a.path_or_id=", "models.a.path_or_id"),
        ("models.a.variant=../x", "models.a.variant"),
    ],
)
def test_a_mistake_in_an_override_is_named(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        load_text(BASE, tmp_path / "c.yaml", (override,))


def test_two_sets_of_one_kind_have_names_of_their_own(tmp_path: Path) -> None:
    config = load_text(BASE, tmp_path / "c.yaml", ("prompts=[{kind: demo}, {kind: demo, name: jobs}]",))
    assert [choice.label for choice in config.prompts] == ["demo", "jobs"]


def test_true_is_no_step_and_a_wrong_setting_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"settings\.0\.steps: a number is needed.*got True") as caught:
        load_text(BASE + "settings:\n  - {steps: true}\n", tmp_path / "c.yaml")
    assert "\n" not in str(caught.value)


README = Path(__file__).parents[2] / "README.md"


def test_the_configs_of_the_readme_go_with_those_that_are_shipped(tmp_path: Path) -> None:
    """The commands of the README take its own configs and then shipped ones: names and paths must be the same."""
    text, root = README.read_text(encoding="utf-8"), README.parent
    curate, generate = (yaml.safe_load(block.split("```")[0]) for block in text.split("```yaml")[1:])
    (tmp_path / "geneval.yaml").write_text(yaml.safe_dump(generate))
    load(tmp_path / "geneval.yaml", GenerateConfig)
    evaluate = yaml.safe_load((root / "configs/evaluate/geneval.yaml").read_text())
    report = yaml.safe_load((root / "configs/reports/models.yaml").read_text())
    assert report["flagged"]["datasets"] == [curate["name"]]
    assert report["pools"] == ["runs/laion/pool"]
    assert report["store"] == evaluate["store"] == "runs/geneval.duckdb"
    assert evaluate["compare"]["baseline"] in generate["models"]
    assert "diptych curate run laion.yaml --out runs/laion " in text
    assert f"diptych generate run geneval.yaml --out {evaluate['datasets']['geneval']['path']} " in text
    assert f"--out {evaluate['datasets']['coco']['path'].removesuffix('/pool')} " in text
    assert f"diptych evaluate compare {evaluate['store']} flux-dev sdxl " in text
    assert {"flux-dev", "sdxl"} == set(generate["models"])
    for path in re.findall(r"configs/\S+\.yaml", text):
        assert (root / path).is_file(), path
