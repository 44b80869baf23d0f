"""One command measures every model that diptych brings along."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from diptych.cli import main
from diptych.demo.measure import quality_report
from diptych.demo.measure.quality_report import (
    FILES,
    MEASUREMENTS,
    MODELS,
    finished_models,
    measure_all,
    measure_some,
    part_of,
)
from diptych.demo.training.__main__ import main as train
from diptych.demo.training.heads import save_head
from diptych.errors import ConfigError
from diptych.intervals import ShareEstimate
from diptych.lookup import import_attribute
from diptych.scores.aesthetic import LinearHead, load_head

QUICK = ("clip", "heads", "detector")  # pipelines take minutes to draw


@pytest.fixture(scope="module")
def figures() -> dict[str, ShareEstimate]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality_report, "MEASUREMENTS", {name: MEASUREMENTS[name] for name in QUICK})
        return measure_all(share=0.02)


def test_every_model_has_figures_with_intervals_and_the_number_of_examples(figures: dict[str, ShareEstimate]) -> None:
    assert list(dict.fromkeys(name.partition(".")[0] for name in figures)) == list(QUICK)
    for name, figure in figures.items():
        assert figure.ci_low <= figure.value <= figure.ci_high, name
        assert figure.n >= 3, name


def test_shipped_models_are_what_their_cards_say_even_on_a_few_examples(figures: dict[str, ShareEstimate]) -> None:
    assert figures["clip.matched_auc"].value >= 0.99
    assert figures["heads.flagged_auc"].value >= 0.99
    assert figures["heads.flagged_recall_at_2_percent"].value >= 0.9
    assert figures["detector.single_object"].value >= 0.9


def test_measurements_resolve_and_every_folder_of_models_is_there() -> None:
    assert all(callable(import_attribute(target)) for target in MEASUREMENTS.values())
    assert list(FILES) == list(MEASUREMENTS)
    assert finished_models(MODELS) == list(MEASUREMENTS)


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="a share of the examples is above 0 and at most 1"):
        measure_all(share=share)


def test_part_of_the_examples_is_never_too_small_to_say_anything() -> None:
    assert [part_of(3000, share) for share in (1.0, 0.1, 0.001)] == [3000, 300, 20]


def one_figure(models: Path, share: float, progress: str) -> dict[str, ShareEstimate]:
    assert share == 0.1
    asked.append((models, progress))
    return {"recall": ShareEstimate(0.5, 0.25, 0.75, 12)}


asked: list[tuple[Path, str]] = []


@pytest.fixture
def one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    asked.clear()
    monkeypatch.setattr(quality_report, "one_figure", one_figure, raising=False)
    monkeypatch.setattr(quality_report, "MEASUREMENTS", {"clip": "diptych.demo.measure.quality_report:one_figure"})


def test_command_prints_json_for_machines(one_model: None) -> None:
    result = CliRunner().invoke(main, ["--progress", "none", "demo", "quality", "--quick", "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    assert json.loads(result.stdout) == {"clip.recall": {"value": 0.5, "ci_low": 0.25, "ci_high": 0.75, "n": 12}}
    assert asked == [(MODELS, "none")]


def test_command_prints_a_table_for_people(one_model: None) -> None:
    result = CliRunner().invoke(main, ["--progress", "none", "demo", "quality", "--quick"])
    assert result.exit_code == 0, (result.output, result.exception)
    assert result.stdout.split() == ["clip.recall", "0.5000", "0.2500", "to", "0.7500", "n", "12"]


@pytest.fixture
def every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    asked.clear()
    monkeypatch.setattr(quality_report, "one_figure", one_figure, raising=False)
    monkeypatch.setattr(
        quality_report, "MEASUREMENTS", dict.fromkeys(MEASUREMENTS, "diptych.demo.measure.quality_report:one_figure")
    )


def lay(models: Path, *names: str) -> Path:
    for name in names:
        (models / name).mkdir(parents=True)
        (models / name / FILES[name]).touch()
    return models


def measured(out: Path) -> list[str]:
    result = CliRunner().invoke(train, ["measure", "--out", str(out), "--quick"])
    assert result.exit_code == 0, (result.output, result.exception)
    return list(json.loads(result.stdout))


def test_training_measures_every_model_that_it_made(every_model: None, tmp_path: Path) -> None:
    models = lay(tmp_path / "models", *MEASUREMENTS)
    assert measured(tmp_path) == [f"{name}.recall" for name in MEASUREMENTS]
    assert {folder for folder, _ in asked} == {models}
    (models / "detector" / FILES["detector"]).unlink()
    result = CliRunner().invoke(train, ["measure", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {models}: there is no finished detector: detector/config.json is missing; train it first\n"
    )


def test_training_measures_models_that_were_trained_one_by_one(every_model: None, tmp_path: Path) -> None:
    lay(tmp_path, "clip", "heads")
    assert measured(tmp_path) == ["clip.recall", "heads.recall"]
    assert {folder for folder, _ in asked} == {tmp_path}


def test_figures_are_those_of_the_models_in_the_folder(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "clip", tmp_path / "clip")
    shutil.copytree(MODELS / "heads", tmp_path / "heads")
    head = load_head(MODELS / "heads" / "flagged.pth")
    save_head(LinearHead(-head.weight, -head.bias), tmp_path / "heads" / "flagged.pth")
    found = measure_some(tmp_path, ["heads"], share=0.02)
    assert list(dict.fromkeys(name.partition(".")[0] for name in found)) == ["heads"]
    assert found["heads.flagged_auc"].value < 0.1
