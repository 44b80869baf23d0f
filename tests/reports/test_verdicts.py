"""Models are called better or worse only by what the evaluation compares and what has a better side for models."""

import io
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import tiny_generated
from drawn import picture
from evaluate_configs import call, make_config, read, result_of, run
from PIL import Image, ImageFilter
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.verdicts import settle

PROMPTS = 12
SOFT = 1000  # pictures from this number on are out of focus


def drawn(seed: int, *, kind: str) -> bytes:
    data = picture(seed % SOFT, kind=kind)
    if seed < SOFT:
        return data
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).filter(ImageFilter.GaussianBlur(4)).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Two models that differ in a told number, which is better higher, and clearly in sharpness."""
    install(monkeypatch)
    monkeypatch.setattr(tiny_generated, "picture", drawn)
    rows = [
        Made(model, prompt, caption=f"number={prompt + shift + prompt % 3 / 10 * (model == 'crisp')}", picture=place)
        for model, shift, first in (("crisp", 0, 0), ("soft", 5, SOFT))
        for prompt, place in enumerate(range(first, first + PROMPTS))
    ]
    make_generated(tmp_path / "generated", rows)
    scores = {"image": {"score": "image_stats"}, "told": {"score": "told_number"}}
    return make_config(tmp_path, scores=scores, means=[{"score": "sharpness"}, {"score": "number"}])


@pytest.fixture
def evaluated(tmp_path: Path, config: dict[str, Any]) -> Path:
    """The models, compared."""
    run({**config, "compare": {"by": "model"}})
    return tmp_path


def words_of(page: Path) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")).split())


def section(page: Path, name: str) -> str:
    """Return the words of the section with a title of this id."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}".*?</section>', page.read_text("utf-8"), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""


@pytest.mark.parametrize(
    ("low", "high", "better", "word"),
    [
        (0.1, 0.3, "higher", "better"),
        (0.1, 0.3, "lower", "worse"),
        (-0.3, -0.1, "higher", "worse"),
        (-0.3, -0.1, "lower", "better"),
        (-0.1, 0.3, "higher", "not resolved"),
        (0.0, 0.3, "higher", "not resolved"),
        (0.1, 0.3, None, "higher"),
        (-0.3, -0.1, None, "lower"),
        (None, None, "higher", "not computed"),
    ],
)
def test_only_an_interval_without_zero_settles_anything(
    low: float | None, high: float | None, better: str | None, word: str
) -> None:
    middle = None if low is None or high is None else (low + high) / 2
    row = {"value": middle, "ci_low": low, "ci_high": high, "better": better}
    assert settle({**row, "p_adjusted": None}) == word
    assert settle({**row, "p_adjusted": 0.01}) == word


def test_interval_that_is_one_of_many_settles_nothing_alone() -> None:
    row = {"value": 0.2, "ci_low": 0.1, "ci_high": 0.3, "better": "higher"}
    assert settle({**row, "p_adjusted": 0.12}) == "not resolved"


def test_a_difference_without_an_interval_is_told_from_one_that_was_not_computed() -> None:
    row = {"value": 0.2, "ci_low": None, "ci_high": None, "better": "higher", "p_adjusted": None}
    assert settle(row) == "no interval"
    assert settle({**row, "value": None}) == "not computed"


def test_sharpness_never_makes_a_verdict_between_models(evaluated: Path) -> None:
    (row,) = read(evaluated, "SELECT * FROM differences WHERE metric = 'image.sharpness' AND groups = '{}'")
    assert row["ci_low"] > 0.0, "the models clearly differ"
    assert row["p_adjusted"] < 0.001
    assert row["better"] is None
    said = call("evaluate", "compare", evaluated / "store.duckdb", "crisp", "soft").stdout.splitlines()
    assert [line.split(" (")[0] for line in said] == [
        "image.sharpness: crisp is higher than soft",
        "told.number: crisp is worse than soft",
    ]
    out = report(evaluated)
    verdict = section(out / "index.html", "verdict-title")
    assert verdict.startswith("Verdict crisp is worse than soft by Number (told).")
    assert "harpness" not in verdict
    assert "harpness" not in section(out / "index.html", "look-title")
    compared = re.search(r'<ul class="verdicts">.*?</ul>', (out / "compare.html").read_text("utf-8"), re.DOTALL)
    assert compared
    assert "Number" in compared[0]
    assert "harpness" not in compared[0]


def test_a_score_without_a_better_side_for_models_is_shown_without_one(evaluated: Path) -> None:
    out = report(evaluated)
    shown = words_of(out / "distributions.html")
    assert "Sharpness (image) Variance of the Laplacian" in shown, "no direction between title and description"
    assert "Number (told) higher is better, px A number" in shown
    assert "Sharpness (image) crisp" in section(out / "index.html", "numbers-title"), (
        "its mean is there, without a direction"
    )


def test_pairs_are_judged_as_training_data(tmp_path: Path, config: dict[str, Any]) -> None:
    make_dataset(tmp_path / "pairs", [Row(picture(500 + seed), f"number={seed} pair") for seed in range(9)])
    config["datasets"]["pairs"] = {"path": str(tmp_path / "pairs"), "role": "pairs"}
    by = {"generated": ["model"], "pairs": []}
    run({**config, "means": [{"score": "sharpness", "datasets": [label], "by": by[label]} for label in by]})
    assert result_of(tmp_path, "image.sharpness")["better"] == "higher"
    assert result_of(tmp_path, "image.sharpness", model="crisp")["better"] is None
    shown = words_of(report(tmp_path) / "scores.html")
    assert re.search(r"All images pairs *, higher is better", shown)
    assert "By model generated Model" in shown


def test_a_comparison_without_any_better_side_has_no_verdict(evaluated: Path) -> None:
    (evaluated / "changed").mkdir()
    path = shutil.copy(evaluated / "store.duckdb", evaluated / "changed")  # without its seal
    with duckdb.connect(path) as store:
        store.execute("DELETE FROM differences WHERE metric <> 'image.sharpness'")
    out = report(evaluated / "changed")
    assert section(out / "index.html", "verdict-title") == ""
    assert "verdict is-higher" in (out / "scores.html").read_text("utf-8"), "the difference is there, as a number"


def test_differences_of_two_datasets_say_of_which_they_are(tmp_path: Path, config: dict[str, Any]) -> None:
    make_generated(
        tmp_path / "later",
        [
            Made(model, prompt, caption=f"number={prompt + shift * 3}", picture=prompt + 60 * shift)
            for model, shift in (("crisp", 1), ("soft", 0))
            for prompt in range(PROMPTS)
        ],
    )
    config["datasets"]["later"] = {"path": str(tmp_path / "later")}
    run({**config, "means": [{"score": "number"}], "compare": {"by": "model"}})
    out = report(tmp_path)
    verdict = section(out / "index.html", "verdict-title")
    assert verdict.startswith("Verdict Against soft, crisp is better on 1 of 2 comparisons, ")
    assert verdict.count("of later ,") == verdict.count("of generated ,") == 1
    for page, words in (
        ("compare.html", "Number (told) of later"),
        ("scores.html", "crisp \N{MINUS SIGN} soft of later"),
    ):
        assert words in words_of(out / page)


def test_a_difference_that_cannot_be_had_is_in_the_verdict_with_its_reason(evaluated: Path) -> None:
    (evaluated / "changed").mkdir()
    path = shutil.copy(evaluated / "store.duckdb", evaluated / "changed")
    with duckdb.connect(path) as store:
        facts = "value = NULL, se = NULL, ci_low = NULL, ci_high = NULL, p_value = NULL, p_adjusted = NULL"
        store.execute(f"UPDATE differences SET {facts}, reason = 'too_few_common_images', better = 'higher'")
    out = report(evaluated / "changed")
    verdict = section(out / "index.html", "verdict-title")
    assert verdict.startswith("Verdict crisp and soft could not be compared.")
    assert verdict.count("not computed") == verdict.count("too few common images") == 2
    assert words_of(out / "scores.html").count("not computed too few common images") == 2


def report(folder: Path) -> Path:
    config: dict[str, Any] = {"job": "report", "store": folder / "store.duckdb"}
    build_report(ReportConfig.model_validate(config), folder / "out")
    return folder / "out"
