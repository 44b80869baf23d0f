"""The audit: what is counted, what is not judged, against which reference."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import make_config, read, run
from scipy import stats
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.errors import ConfigError


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def figure(model: str, prompt: int, sample: int, who: str, hat: str | None) -> Made:
    """Return an image asked to show ``who``; without a hat nothing was detected on it."""
    caption = f"hat={hat} class={who}" if hat else "nobody"
    expected = {"include": [{"class": who, "count": 1}]}
    return Made(model, prompt, sample, category="figure", expected=expected, caption=caption)


def audited(folder: Path, rows: Sequence[Made], **audit: Any) -> list[dict[str, Any]]:
    make_generated(folder / "generated", rows)
    run(make_config(folder, scores={"hats": {"score": "told_attribute"}}, audit={"attribute": "attribute", **audit}))
    return read(folder, "SELECT * FROM audits ORDER BY groups, attribute")


def hats(model: str, who: str, prompt: int, colours: str) -> list[Made]:
    names = {"o": "orange", "b": "blue", "-": None}
    return [figure(model, prompt, sample, who, names[letter]) for sample, letter in enumerate(colours)]


def test_shares_have_their_counts_intervals_and_band(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "ooooooob-b") + hats("raw", "cook", 1, "bbbb") + hats("good", "doctor", 0, "obobob")
    found = audited(tmp_path, rows)
    assert [(row["groups"], row["attribute"], row["k"], row["n"], row["n_unscored"]) for row in found] == [
        ({"model": "good", "attribute_class": "doctor"}, "blue", 3, 6, 0),
        ({"model": "good", "attribute_class": "doctor"}, "orange", 3, 6, 0),
        ({"model": "raw", "attribute_class": "cook"}, "blue", 4, 4, 0),
        ({"model": "raw", "attribute_class": "cook"}, "orange", 0, 4, 0),
        ({"model": "raw", "attribute_class": "doctor"}, "blue", 2, 9, 1),
        ({"model": "raw", "attribute_class": "doctor"}, "orange", 7, 9, 1),
    ]
    row = found[-1]
    low, high = stats.binomtest(7, 9).proportion_ci(method="wilson")
    assert (row["share"], row["ci_low"], row["ci_high"]) == pytest.approx((7 / 9, low, high))
    assert row["reference"] is None
    assert (row["null_low"], row["null_high"]) == pytest.approx(tuple(stats.binom(9, 0.5).ppf([0.025, 0.975]) / 9))
    assert "not corrected" in row["note"]
    assert "equal shares of 2 values" in row["note"]


def test_an_image_that_could_not_be_judged_belongs_to_the_class_that_was_asked_for(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "oo---") + hats("raw", "cook", 1, "b")
    rows += [Made("raw", 2, expected={"include": [{"class": "fish", "count": 1}]}, caption="a fish")]
    found = {(row["groups"]["attribute_class"], row["attribute"]): row for row in audited(tmp_path, rows)}
    assert found["doctor", "orange"]["n_unscored"] == 3
    assert set(found) == {(who, hat) for who in ("cook", "doctor") for hat in ("blue", "orange")}


def test_a_class_in_which_nothing_was_judged_is_still_there(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "oob") + hats("raw", "cook", 1, "---")
    found = audited(tmp_path, rows, category="figure")
    (row,) = [row for row in found if row["groups"]["attribute_class"] == "cook" and row["attribute"] == "blue"]
    assert (row["k"], row["n"], row["n_unscored"], row["share"], row["ci_low"]) == (0, 0, 3, None, None)
    assert (row["null_low"], row["null_high"]) == (None, None)


def test_a_reference_for_all_and_one_by_class(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "ooob") + hats("raw", "cook", 1, "bbbo")
    found = audited(tmp_path, rows, reference={"orange": 0.75, "green": 0.25})
    assert {(row["attribute"], row["reference"]) for row in found} == {
        ("blue", None),
        ("green", 0.25),
        ("orange", 0.75),
    }
    by_class = {"doctor": {"orange": 0.9, "blue": 0.1}, "cook": {"orange": 0.2, "blue": 0.8}}
    found = audited(tmp_path, rows, reference=by_class)
    shares = {(row["groups"]["attribute_class"], row["attribute"]): row for row in found}
    assert shares["doctor", "orange"]["reference"] == 0.9
    assert shares["cook", "orange"]["reference"] == 0.2
    expected = tuple(stats.binom(4, 0.2).ppf([0.025, 0.975]) / 4)
    assert (shares["cook", "orange"]["null_low"], shares["cook", "orange"]["null_high"]) == pytest.approx(expected)


def test_many_prompts_are_clusters(tmp_path: Path) -> None:
    rows = [image for prompt in range(20) for image in hats("raw", "doctor", prompt, "oooo" if prompt % 3 else "bbbb")]
    row = audited(tmp_path, rows, by=["model"])[1]
    assert (row["attribute"], row["k"], row["n"]) == ("orange", 52, 80)
    few, many = (stats.binomtest(k, n).proportion_ci(method="wilson") for k, n in ((13, 20), (52, 80)))
    assert row["ci_high"] - row["ci_low"] >= few.high - few.low > many.high - many.low


def test_named_values_are_counted_though_nobody_has_them(tmp_path: Path) -> None:
    found = audited(tmp_path, hats("raw", "doctor", 0, "oo"), values=["orange", "blue", "green"], by=[])
    assert [(row["groups"], row["attribute"], row["k"], row["n"]) for row in found] == [
        ({}, "blue", 0, 2),
        ({}, "green", 0, 2),
        ({}, "orange", 2, 2),
    ]
    assert found[0]["null_high"] == pytest.approx(float(stats.binom(2, 1 / 3).ppf(0.975) / 2))


def test_expectations_that_are_no_json_are_no_expectations(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "oob-")
    make_generated(tmp_path / "generated", rows)
    odd = [dataclasses.replace(row, expected={"include": [{"what": 1}]}) for row in rows]
    found = audited(tmp_path, odd)
    unknown = [row for row in found if row["groups"]["attribute_class"] is None]
    assert [(row["n"], row["n_unscored"]) for row in unknown] == [(0, 1), (0, 1)]


def test_a_reference_is_a_share(tmp_path: Path) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match="less than or equal to 1"):
        audited(tmp_path, hats("raw", "doctor", 0, "oo"), reference={"orange": 75})


def test_a_category_needs_its_column(tmp_path: Path) -> None:
    from tiny_dataset import good_rows, make_dataset

    make_dataset(tmp_path / "pairs", good_rows(3))
    config = make_config(tmp_path, scores={"hats": {"score": "told_attribute"}})
    config["datasets"] = {"web": {"path": str(tmp_path / "pairs"), "role": "pairs"}}
    with pytest.raises(ConfigError, match=r"audit\.category: the dataset 'web' has no column 'category'"):
        run({**config, "audit": {"by": ["attribute_class"], "category": "figure"}})
