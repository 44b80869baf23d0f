"""LongText-Bench: words as a bag, pooled over prompts, and what upstream's list of letters drops."""

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import make_config, result_of, run
from own_judges import WRITTEN
from tiny_generated import Made, make_generated

from diptych.asset_table import ASSETS
from diptych.generate.prompts.longtext import longtext, longtext_zh
from diptych.judges.contract import TextLine
from diptych.scores.text_accuracy import parts_of
from diptych.scores.text_edits import compared

HEIGHT = 32  # of every picture of ``tiny_generated``


def counted(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    read: str,
    *texts: list[str],
    lost: int = -1,
    is_cut: bool = False,
    **changes: Any,
) -> None:
    own_judges.install(monkeypatch)
    WRITTEN[HEIGHT] = [TextLine(line, 0.9, (0, 0, 9, 9), is_cut) for line in read.split("\n")]
    rows = [
        Made("one", number, checks={"texts": some}, picture=None if number == lost else number, benchmark="longtext")
        for number, some in enumerate(texts)
    ]
    make_generated(folder / "generated", rows, kinds={"longtext": "longtext"})
    protocols = [{"protocol": "longtext", "judge": "eye"}]
    run(make_config(folder, judges={"eye": {"kind": "own_text"}}, protocols=protocols, **changes))


def test_words_are_pooled_so_that_a_long_prompt_counts_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(tmp_path, monkeypatch, "brews FRESH,\nevery day", ["FRESH BREWS", "every every day"], ["Open"])
    found = result_of(tmp_path, "longtext_official_eye.text_accuracy_pooled", model="one")
    assert (found["value"], found["n"], found["unit"]) == (pytest.approx(4 / 6), 2, "mean by text_expected")
    assert "mean over images by their weights" in found["note"]


def test_mean_over_images_has_another_name_than_the_number_over_all_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    means = [{"score": "longtext_official_eye.text_accuracy"}]
    counted(tmp_path, monkeypatch, "brews FRESH,\nevery day", ["FRESH BREWS", "every every day"], ["Open"], means=means)
    name = "longtext_official_eye.text_accuracy"
    assert result_of(tmp_path, name, model="one")["value"] == pytest.approx((4 / 5 + 0) / 2)
    assert result_of(tmp_path, f"{name}_pooled", model="one")["value"] == pytest.approx(4 / 6)


def test_image_without_a_picture_counts_by_its_words_at_worst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(tmp_path, monkeypatch, "one two", ["one two"], ["three four five six"], lost=1)
    name = "longtext_official_eye.text_accuracy_pooled"
    found = result_of(tmp_path, name, model="one")
    assert (found["value"], found["n"], found["n_unscored"]) == (1.0, 1, 1)
    assert found["caution"].startswith("unscored: 1 out_of_memory; ")
    assert result_of(tmp_path, f"{name}_worst", model="one")["value"] == pytest.approx(2 / 6)


def test_letters_beyond_upstreams_list_count_in_corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(tmp_path, monkeypatch, "piata КОФЕ", ["piñata кофе"])
    assert result_of(tmp_path, "longtext_official_eye.text_accuracy_pooled", model="one")["value"] == 1.0
    assert result_of(tmp_path, "longtext_corrected_eye.text_accuracy_pooled", model="one")["value"] == 0.5


def test_text_that_was_not_read_to_its_end_counts_in_official_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(tmp_path, monkeypatch, "one two", ["one two three four"], is_cut=True)
    assert result_of(tmp_path, "longtext_official_eye.text_accuracy_pooled", model="one")["value"] == 0.5
    name = "longtext_corrected_eye.text_accuracy_pooled"
    found = result_of(tmp_path, name, model="one")
    assert (found["value"], found["n"], found["n_unscored"]) == (None, 0, 1)
    assert found["caution"].startswith("unscored: 1 text_cut; ")
    assert result_of(tmp_path, f"{name}_worst", model="one")["value"] == 0.0


def test_chinese_is_compared_by_characters() -> None:
    assert parts_of("每日\uff0c新鲜 Ab!", "characters", "listed") == ["每", "日", "新", "鲜", "A", "b"]
    assert parts_of("每日\uff0c新鲜 Ab!", "characters", "all") == ["每", "日", "新", "鲜", "a", "b"]


@pytest.mark.parametrize(
    "word", ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u0e19\u0e49\u0e33\u0e1b\u0e35", "\u05e9\u05b8"]
)
def test_vowel_signs_are_parts_of_letters_of_every_script(word: str) -> None:
    plain = unicodedata.normalize("NFKC", word)
    assert parts_of(f"{word}!", "words", "all") == [plain]
    assert compared(f"{word}!", "all") == plain
    assert parts_of(f"{word} \u2764\ufe0f", "words", "all") == [plain], "of a drawn heart nothing is left"


def test_both_sets_have_160_prompts_of_eight_kinds(shared: Path) -> None:
    folder = shared / "benchmarks" / "longtext_bench"
    for make, name, asset in (
        (longtext, "text_prompts.jsonl", "longtext-en"),
        (longtext_zh, "text_prompts_zh.jsonl", "longtext-zh"),
    ):
        found = make(path=folder / name)
        assert (len(found.prompts), found.source, found.licence) == (160, ASSETS[asset].url, "Apache-2.0")
        assert Counter(prompt.categories[1] for prompt in found.prompts) == {"short": 80, "long": 80}
        assert len({prompt.categories[0] for prompt in found.prompts}) == 8
        assert all(prompt.checks.texts for prompt in found.prompts)
