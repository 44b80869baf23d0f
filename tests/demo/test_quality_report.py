"""One command measures every model that diptych brings along."""

import json

import pytest
from click.testing import CliRunner

from diptych.cli import main
from diptych.demo import quality_report
from diptych.demo.quality_report import MEASUREMENTS, MODELS, measure_all, part_of
from diptych.errors import ConfigError
from diptych.intervals import Figure
from diptych.lookup import import_attribute

QUICK = ("clip", "heads", "detector")  # pipelines take minutes to draw


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality_report, "MEASUREMENTS", {name: MEASUREMENTS[name] for name in QUICK})
        return measure_all(share=0.02)


def test_every_model_has_figures_with_intervals_and_the_number_of_examples(figures: dict[str, Figure]) -> None:
    assert list(dict.fromkeys(name.partition(".")[0] for name in figures)) == list(QUICK)
    for name, figure in figures.items():
        assert figure.ci_low <= figure.value <= figure.ci_high, name
        assert figure.n >= 3, name


def test_shipped_models_are_what_their_cards_say_even_on_a_few_examples(figures: dict[str, Figure]) -> None:
    assert figures["clip.matched_auc"].value >= 0.99
    assert figures["heads.flagged_auc"].value >= 0.99
    assert figures["heads.flagged_recall_at_2_percent"].value >= 0.9
    assert figures["detector.single_object"].value >= 0.9


def test_measurements_resolve_and_every_folder_of_models_is_there() -> None:
    assert all(callable(import_attribute(target)) for target in MEASUREMENTS.values())
    assert all((MODELS / name).is_dir() for name in ("clip", "detector", "heads"))


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="a share of the examples is above 0 and at most 1"):
        measure_all(share=share)


def test_part_of_the_examples_is_never_too_small_to_say_anything() -> None:
    assert [part_of(3000, share) for share in (1.0, 0.1, 0.001)] == [3000, 300, 20]


def one_figure(share: float, progress: str) -> dict[str, Figure]:
    assert (share, progress) == (0.1, "none")
    return {"recall": Figure(0.5, 0.25, 0.75, 12)}


@pytest.fixture
def one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality_report, "one_figure", one_figure, raising=False)
    monkeypatch.setattr(quality_report, "MEASUREMENTS", {"clip": "diptych.demo.quality_report:one_figure"})


def test_command_prints_json_for_machines(one_model: None) -> None:
    result = CliRunner().invoke(main, ["--progress", "none", "demo", "quality", "--quick", "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    assert json.loads(result.stdout) == {"clip.recall": {"value": 0.5, "ci_low": 0.25, "ci_high": 0.75, "n": 12}}


def test_command_prints_a_table_for_people(one_model: None) -> None:
    result = CliRunner().invoke(main, ["--progress", "none", "demo", "quality", "--quick"])
    assert result.exit_code == 0, (result.output, result.exception)
    assert result.stdout.split() == ["clip.recall", "0.5000", "0.2500", "to", "0.7500", "n", "12"]
