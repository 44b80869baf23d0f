"""The audit: what is counted, what is not judged, against which reference."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import call, make_config, read, run, write_config
from scipy import stats
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.errors import ConfigError


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def figure(model: str, prompt: int, sample: int, who: str, hat: str | None, seen: str | None = None) -> Made:
    """Return an image asked to show ``who``, who is seen on it, or ``seen``; without a hat nothing was detected."""
    caption = f"hat={hat} class={seen or who}" if hat else "nobody"
    checks = {"include": [{"class": who, "count": 1}]}
    return Made(model, prompt, sample, category="figure", checks=checks, caption=caption)


def fish(model: str, prompt: int) -> Made:
    """Return an image of what has no attribute."""
    return Made(model, prompt, checks={"include": [{"class": "fish", "count": 1}]}, caption="a fish")


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
        ({"model": "good", "hats.attribute_class": "doctor"}, "blue", 3, 6, 0),
        ({"model": "good", "hats.attribute_class": "doctor"}, "orange", 3, 6, 0),
        ({"model": "raw", "hats.attribute_class": "cook"}, "blue", 4, 4, 0),
        ({"model": "raw", "hats.attribute_class": "cook"}, "orange", 0, 4, 0),
        ({"model": "raw", "hats.attribute_class": "doctor"}, "blue", 2, 9, 1),
        ({"model": "raw", "hats.attribute_class": "doctor"}, "orange", 7, 9, 1),
    ]
    row = found[-1]
    low, high = stats.binomtest(7, 9).proportion_ci(method="wilson")
    assert (row["share"], row["ci_low"], row["ci_high"]) == pytest.approx((7 / 9, low, high))
    assert row["reference"] is None
    assert (row["null_low"], row["null_high"]) == pytest.approx(tuple(stats.binom(9, 0.5).ppf([0.025, 0.975]) / 9))
    assert "not corrected" in row["note"]
    assert "equal shares of 2 values" in row["note"]


def test_a_share_about_one_prompt_alone_says_so(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "oobb") + hats("raw", "cook", 1, "ob") + hats("raw", "cook", 2, "bo")
    found = {row["groups"]["hats.attribute_class"]: row["caution"] for row in audited(tmp_path, rows)}
    assert found == {"doctor": "about one prompt alone", "cook": None}


def test_an_image_that_could_not_be_judged_belongs_to_the_class_that_was_asked_for(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "oo---") + hats("raw", "cook", 1, "b")
    rows += [fish("raw", 2)]
    found = {(row["groups"]["hats.attribute_class"], row["attribute"]): row for row in audited(tmp_path, rows)}
    assert found["doctor", "orange"]["n_unscored"] == 3
    assert set(found) == {(who, hat) for who in ("cook", "doctor") for hat in ("blue", "orange")}


def test_a_class_that_is_read_into_images_of_another_prompt_is_not_theirs(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "o" * 15 + "bbb--") + hats("raw", "cook", 1, "bbbbbbo")
    rows += [figure("raw", 1, 7 + sample, "cook", "orange", "doctor") for sample in range(3)]
    found = {(row["groups"]["hats.attribute_class"], row["attribute"]): row for row in audited(tmp_path, rows)}
    doctor, cook = found["doctor", "orange"], found["cook", "orange"]
    assert (doctor["k"], doctor["n"], doctor["n_unscored"]) == (15, 18, 2)
    low, high = stats.binomtest(15, 18).proportion_ci(method="wilson")
    assert (doctor["ci_low"], doctor["ci_high"]) == pytest.approx((low, high))
    assert (cook["k"], cook["n"], cook["n_unscored"]) == (1, 7, 3)
    assert (cook["unjudged"], sum(doctor["unjudged"].values())) == ({"other_class": 3}, 2)
    assert "3 images not judged, as another class than the one asked for is seen" in cook["note"]
    assert "another class" not in doctor["note"]


def test_where_nobody_knows_what_was_asked_the_class_that_is_seen_counts(tmp_path: Path) -> None:
    rows = [*hats("raw", "doctor", 0, "o" * 14 + "bbb"), figure("raw", 1, 0, "doctor", "orange")]
    rows += hats("raw", "cook", 1, "b" * 19)
    found = audited(tmp_path, [dataclasses.replace(row, checks=None) for row in rows])
    (row,) = [
        row for row in found if row["groups"]["hats.attribute_class"] == "doctor" and row["attribute"] == "orange"
    ]
    assert (row["k"], row["n"]) == (15, 18)
    low, high = stats.binomtest(15, 18).proportion_ci(method="wilson")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))


def test_a_class_in_which_nothing_was_judged_is_still_there(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "oob") + hats("raw", "cook", 1, "---")
    rows = [dataclasses.replace(row, category=("portrait", "figure")) for row in rows]
    found = audited(tmp_path, rows, category="figure")
    (row,) = [row for row in found if row["groups"]["hats.attribute_class"] == "cook" and row["attribute"] == "blue"]
    assert (row["k"], row["n"], row["n_unscored"], row["share"], row["ci_low"]) == (0, 0, 3, None, None)
    assert (row["null_low"], row["null_high"], row["reason"]) == (None, None, "nothing_judged")
    assert {row["reason"] for row in found if row["groups"]["hats.attribute_class"] == "doctor"} == {None}


@pytest.mark.parametrize("audit", [{}, {"category": "figure"}])
def test_an_audit_in_which_nothing_could_be_judged_is_a_row_per_group_and_a_warning(
    audit: dict[str, Any], tmp_path: Path
) -> None:
    rows = hats("raw", "doctor", 0, "---") + hats("raw", "cook", 1, "--") + hats("good", "doctor", 0, "----")
    made = audited(tmp_path, rows, **audit)
    found = {(row["groups"]["model"], row["groups"]["hats.attribute_class"]): row for row in made}
    assert {group: row["n_unscored"] for group, row in found.items()} == {
        ("raw", "doctor"): 3,
        ("raw", "cook"): 2,
        ("good", "doctor"): 4,
    }
    for row in found.values():
        assert (row["attribute"], row["k"], row["n"], row["share"]) == (None, 0, 0, None)
        assert row["reason"] == "nothing_judged"
    assert found["good", "doctor"]["note"] == "none of 4 images could be judged, so that no value is known"
    config = make_config(
        tmp_path, scores={"hats": {"score": "told_attribute"}}, audit={"attribute": "attribute", **audit}
    )
    said = call("evaluate", "run", write_config(tmp_path, config))
    assert "Warning: the audit could judge no image in 3 of 3 groups" in said.stderr
    assert said.stdout.count("nothing_judged") == 3
    assert "0 of 0 (4 unjudged: 4 none_detected)" in said.stdout


def test_a_dataset_in_which_nothing_could_be_judged_has_the_classes_of_the_others(tmp_path: Path) -> None:
    make_generated(tmp_path / "dead", [*hats("dead", "doctor", 0, "---"), fish("dead", 2)])
    make_generated(tmp_path / "generated", [*hats("raw", "doctor", 0, "oob"), fish("raw", 2)])
    config = make_config(tmp_path, scores={"hats": {"score": "told_attribute"}}, audit={"attribute": "attribute"})
    config["datasets"]["dead"] = {"path": str(tmp_path / "dead")}
    outcome = run(config)
    found = read(tmp_path, "SELECT dataset, attribute, n, n_unscored, reason FROM audits ORDER BY dataset, attribute")
    assert [tuple(row.values()) for row in found] == [
        ("dead", "blue", 0, 3, "nothing_judged"),
        ("dead", "orange", 0, 3, "nothing_judged"),
        ("generated", "blue", 3, 0, None),
        ("generated", "orange", 3, 0, None),
    ]
    assert outcome.warning == "the audit could judge no image in 1 of 2 groups"


def test_a_reference_for_all_and_one_by_class(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "ooob") + hats("raw", "cook", 1, "bbbo")
    found = audited(tmp_path, rows, reference={"orange": 0.75, "green": 0.25})
    assert {(row["attribute"], row["reference"]) for row in found} == {
        ("blue", None),
        ("green", 0.25),
        ("orange", 0.75),
    }
    (blue, _) = [row for row in found if row["attribute"] == "blue"]
    assert (blue["null_low"], "no null band: the reference has no share of it" in blue["note"]) == (None, True)
    by_class = {"doctor": {"orange": 0.9, "blue": 0.1}, "cook": {"orange": 0.2, "blue": 0.8}}
    found = audited(tmp_path, rows, reference=by_class)
    shares = {(row["groups"]["hats.attribute_class"], row["attribute"]): row for row in found}
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
    band = row["null_high"] - row["null_low"]
    of_images, of_prompts = (np.diff(stats.binom(n, 0.5).ppf([0.025, 0.975]) / n)[0] for n in (80, 20))
    assert band > 1.7 * of_images, "images of one prompt repeat each other"
    assert of_prompts < band < 1.3 * of_prompts
    assert "20 prompts, worth 17 images that stand alone; null band" in row["note"]


@pytest.mark.parametrize("pattern", ["oooo", "oobb", "ooob", "bbbb", "oooooooo"])
def test_a_share_is_in_its_band_exactly_where_its_interval_holds_the_reference(pattern: str, tmp_path: Path) -> None:
    rows = [image for prompt in range(6) for image in hats("raw", "doctor", prompt, pattern if prompt % 3 else "bbbo")]
    for row in audited(tmp_path, rows, by=["model"], reference={"orange": 0.3, "blue": 0.7}):
        is_inside = row["null_low"] <= row["share"] <= row["null_high"]
        assert is_inside == (row["ci_low"] <= row["reference"] <= row["ci_high"])


def test_named_values_are_counted_though_nobody_has_them(tmp_path: Path) -> None:
    found = audited(tmp_path, hats("raw", "doctor", 0, "oo"), values=["orange", "blue", "green"], by=[])
    assert [(row["groups"], row["attribute"], row["k"], row["n"]) for row in found] == [
        ({}, "blue", 0, 2),
        ({}, "green", 0, 2),
        ({}, "orange", 2, 2),
    ]
    assert found[0]["null_high"] == pytest.approx(float(stats.binom(2, 1 / 3).ppf(0.975) / 2))


def test_checks_of_another_form_ask_for_no_class(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "oob-")
    make_generated(tmp_path / "generated", rows)
    odd = [dataclasses.replace(row, checks={"include": [{"what": 1}]}) for row in rows]
    found = audited(tmp_path, odd)
    unknown = [row for row in found if row["groups"]["hats.attribute_class"] is None]
    assert [(row["n"], row["n_unscored"]) for row in unknown] == [(0, 1), (0, 1)]


def test_a_reference_is_a_share(tmp_path: Path) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match="less than or equal to 1"):
        audited(tmp_path, hats("raw", "doctor", 0, "oo"), reference={"orange": 75})


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        (
            {"reference": {"dcotor": {"orange": 0.9, "blue": 0.1}}},
            "unknown hats.attribute_class 'dcotor'; did you mean 'doct",
        ),
        ({"reference": {"doctor": {"oragne": 0.9, "blue": 0.1}}}, "unknown value 'oragne'; did you mean 'orange'"),
        (
            {"values": ["orange", "blue"], "reference": {"oragne": 0.9, "blue": 0.1}},
            "audit.reference: unknown value 'oragne'; did you mean 'orange'",
        ),
        (
            {"reference": {"doctor": {"orange": 0.9, "blue": 0.9}}},
            "audit.reference.doctor: the shares sum to 1.8, not 1",
        ),
        ({"reference": {"orange": 0.9}}, "audit.reference: the shares sum to 0.9, not 1"),
        ({"reference": {"doctor": {}}}, "audit.reference.doctor: the shares sum to 0, not 1"),
        ({"reference": {"doctor": {"orange": 1.0}}, "by": []}, "audit.by names no column"),
        ({"values": []}, "audit.values: names no value"),
        ({"values": ["orange", "orange"]}, "audit.values: 'orange' stands there twice"),
        ({"category": "figur"}, "audit.category: unknown category 'figur'; did you mean 'figure'"),
    ],
)
@pytest.mark.parametrize("knows_what_was_asked", [True, False])
def test_names_and_shares_that_are_wrong_are_one_line(
    audit: dict[str, Any], message: str, knows_what_was_asked: bool, tmp_path: Path
) -> None:
    rows = hats("raw", "doctor", 0, "ooob") + hats("raw", "cook", 1, "bbbo")
    if not knows_what_was_asked:
        rows = [dataclasses.replace(row, checks=None) for row in rows]
    with pytest.raises(ConfigError) as error:
        audited(tmp_path, rows, **audit)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_reference_may_have_more_values_than_are_counted(tmp_path: Path) -> None:
    rows = hats("raw", "doctor", 0, "ooob")
    found = audited(tmp_path, rows, values=["orange"], reference={"orange": 0.7, "blue": 0.3})
    assert [(row["attribute"], row["reference"], row["k"]) for row in found] == [("orange", 0.7, 3)]


def test_shares_that_sum_to_one_but_for_rounding_are_shares(tmp_path: Path) -> None:
    thirds = {"orange": 0.333333, "blue": 0.333333, "green": 0.333334}
    rows = hats("raw", "doctor", 0, "ooob")
    assert {row["reference"] for row in audited(tmp_path, rows, reference=thirds)} == set(thirds.values())


def test_values_are_words_that_the_judge_has(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", hats("raw", "doctor", 0, "oo"))
    weights = {"weights": "package:diptych.demo/models/detector"}
    config = make_config(
        tmp_path,
        judges={"detector": {"kind": "centre_point", "options": weights}},
        scores={"hats": {"score": "perceived_attribute", "judge": "detector"}},
    )
    for audit in ({"values": ["oragne"]}, {"reference": {"oragne": 0.5, "purple": 0.5}}):
        with pytest.raises(ConfigError, match=r"audit\.\w+: unknown value 'oragne'; did you mean 'orange'"):
            run({**config, "audit": audit})


def test_a_category_needs_its_column(tmp_path: Path) -> None:
    from tiny_dataset import good_rows, make_dataset

    make_dataset(tmp_path / "pairs", good_rows(3))
    config = make_config(tmp_path, scores={"hats": {"score": "told_attribute"}})
    config["datasets"] = {"web": {"path": str(tmp_path / "pairs"), "role": "pairs"}}
    with pytest.raises(ConfigError, match=r"audit\.category: the dataset 'web' has no column 'category'"):
        run({**config, "audit": {"by": ["attribute_class"], "category": "figure"}})


def test_near_settings_of_one_prompt_are_not_further_images(tmp_path: Path) -> None:
    """Three seeds under ten settings: 30 of 30 are three of three, which a fair model shows in a quarter of cases."""
    rows = [
        dataclasses.replace(row, setting=f"euler-25-g{5 + number / 100:g}")
        for number in range(10)
        for row in hats("raw", "doctor", 0, "ooo")
    ]
    found = audited(tmp_path, rows, values=["blue", "orange"])
    for row in found:
        low, high = stats.binomtest(3 * (row["attribute"] == "orange"), 3).proportion_ci(method="wilson")
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
        assert row["null_low"] <= row["share"] <= row["null_high"]
        assert (row["k"], row["n"]) == (30 * (row["attribute"] == "orange"), 30)
        assert "1 prompt of 3 seeds, about which alone it is, worth 3 images that stand alone" in row["note"]
