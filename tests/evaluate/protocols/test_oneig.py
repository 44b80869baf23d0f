"""OneIG-Bench: alignment by questions with parents, and text by a number over all images together, trap by trap."""

import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pytest
from drawn import picture
from evaluate_configs import call, make_config, read, result_of, run
from oneig_folder import oneig_folder
from own_judges import SAID, WRITTEN
from PIL import Image
from tiny_generated import Made, make_generated

from diptych.errors import ConfigError
from diptych.evaluate.protocols.contract import TextErrors
from diptych.evaluate.protocols.text_errors import shares_of
from diptych.evaluate.statistics.intervals import clustered_mean
from diptych.judges.contract import TextLine
from diptych.scores import make_score
from diptych.scores.text_edits import asked_text, compared, gap_of

HEIGHT = 32  # of every picture of ``tiny_generated``
LISTED = r"[^一-龥a-zA-Z0-9\sàâäéèêëîïôöùûüçÀÂÄÉÈÊËÎÏÔÖÙÛÜÇ]"


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def made(number: int, category: str = "text", model: str = "one", *, lost: bool = False, **checks: Any) -> Made:
    picture = None if lost else number
    return Made(model, number, category=category, checks=checks, picture=picture, benchmark="o")


def evaluated(folder: Path, rows: list[Made], protocol: str, judge: str, **changes: Any) -> None:
    kind = "oneig_zh" if protocol.endswith("_zh") else "oneig"
    make_generated(folder / "generated", rows, kinds={"o": kind})
    protocols = [{"protocol": protocol, "judge": "eye"}]
    run(make_config(folder, judges={"eye": {"kind": judge}}, protocols=protocols, **changes))


def written(folder: Path, said: str, *rows: Made, protocol: str = "oneig_text", is_cut: bool = False) -> None:
    WRITTEN[HEIGHT] = [TextLine(line, 1.0, (0, 0, 9, 9), is_cut) for line in said.split("\n")]
    evaluated(folder, list(rows), protocol, "own_text")


def value(folder: Path, rule: str, protocol: str = "oneig_text", **groups: str) -> Any:
    column = "text_score" if rule == "images" else "text_score_pooled"
    return result_of(folder, f"{protocol}_{rule}_eye.{column}", model="one", **groups)["value"]


def upstream(reads: str, lists: list[list[str]], most: int) -> float:
    """Return upstream's number, written anew from what the reference says of it, letter by letter."""

    def cleaned(text: str) -> str:
        kept = re.sub(LISTED, "", text)
        return re.sub(r"\s+", "" if re.search("[一-鿿]", kept) else " ", kept).strip()

    def levenshtein(a: str, b: str) -> int:
        row = list(range(len(b) + 1))
        for i, x in enumerate(a, 1):
            row, left = [i], row
            for j, y in enumerate(b, 1):
                row.append(min(left[j] + 1, row[j - 1] + 1, left[j - 1] + (x != y)))
        return row[-1]

    edits, matched, expected = [], 0, 0
    for texts in lists:
        asked, seen = cleaned(str(texts)), cleaned(reads)
        parts = (list(asked), list(seen)) if re.search("[一-鿿]", asked) else (asked.split(), seen.split())
        edits.append(levenshtein(seen, asked))
        matched += (Counter(parts[0]) & Counter(parts[1])).total()
        expected += len(parts[0])
    mean, exact = sum(edits) / len(edits), edits.count(0) / len(edits)
    return 1 - min(most, mean) * (1 - exact) * (1 - matched / expected) / most


@pytest.mark.parametrize(
    ("protocol", "most", "said", "lists"),
    [
        ("oneig_text", 100, "SALE up\nto 50 % off", [["SALE", "up to 50 % off"], ["Sale", "it's up, up"], ["piñata"]]),
        ("oneig_text", 100, "Sale up to", [["Sale:\nup to"], ["Sale", "up", "to"]]),
        ("oneig_text", 100, "addCriterion\nOPEN", [["OPEN"], ["open all day"]]),
        ("oneig_text", 100, "x" * 400, [["a"], ["b c"], ["x" * 400]]),
        ("oneig_text_zh", 50, "5G 技术\n的影响", [["5G技术的影响", "城市"], ["OPEN now"], ["影响 力"]]),
    ],
    ids=["case and accents", "line break", "beside the text", "over the most", "Chinese"],
)
def test_official_is_upstreams_number(
    tmp_path: Path, protocol: str, most: int, said: str, lists: list[list[str]]
) -> None:
    written(tmp_path, said, *(made(number, texts=texts) for number, texts in enumerate(lists)), protocol=protocol)
    wanted = upstream(said.replace("addCriterion", ""), lists, most)
    assert value(tmp_path, "official", protocol) == pytest.approx(wanted, abs=1e-6)
    assert wanted < 1


def test_line_break_is_a_space_and_every_letter_counts_in_corrected(tmp_path: Path) -> None:
    written(tmp_path, "Sale piñata КОФЕ", made(0, texts=["Sale\npiñata", "КОФЕ"]))
    assert value(tmp_path, "corrected") == 1.0
    assert value(tmp_path, "official") < 1.0


def test_judge_that_goes_on_takes_its_own_image_alone_in_corrected(tmp_path: Path) -> None:
    written(tmp_path, "x" * 300, made(0, texts=["a"]), made(1, texts=["x" * 300]))
    assert value(tmp_path, "official") == pytest.approx(1 - 100 * 0.5 * 0.5 / 100)  # of 150 edits on the mean
    assert value(tmp_path, "corrected") == pytest.approx(1 - 50 * 0.5 * 0.5 / 100)
    assert value(tmp_path, "images") == pytest.approx(0.5)


def test_category_has_the_number_of_its_own_images(tmp_path: Path) -> None:
    lists = [["one"], ["one two"], ["one two three"], ["four"]]
    written(tmp_path, "one two", *(made(n, ("short", "long")[n // 2], texts=texts) for n, texts in enumerate(lists)))
    assert value(tmp_path, "official") == pytest.approx(upstream("one two", lists, 100))
    assert value(tmp_path, "official", category="long") == pytest.approx(upstream("one two", lists[2:], 100))
    note = result_of(tmp_path, "oneig_text_official_eye.text_score_pooled", model="one")["note"]
    assert note == "over images together; interval linearised, clustered by 4 prompts (Student)"


def test_image_without_a_picture_is_told_and_is_all_wrong_at_worst(tmp_path: Path) -> None:
    written(tmp_path, "one two", made(0, texts=["one two"]), made(1, texts=["three four"], lost=True))
    name = "oneig_text_official_eye.text_score_pooled"
    found = result_of(tmp_path, name, model="one")
    assert (found["value"], found["n"], found["n_unscored"]) == (1.0, 1, 1)
    assert found["caution"].startswith("unscored: 1 out_of_memory; ")
    assert "2 of 200 prompts" in found["caution"]
    assert result_of(tmp_path, f"{name}_worst", model="one")["value"] == pytest.approx(1 - 0.5 * 0.5)


def test_text_that_was_not_read_to_its_end_has_no_number_in_corrected(tmp_path: Path) -> None:
    written(tmp_path, "one", made(0, texts=["one two"]), is_cut=True)
    assert value(tmp_path, "official") == pytest.approx(upstream("one", [["one two"]], 100))
    found = result_of(tmp_path, "oneig_text_corrected_eye.text_score_pooled", model="one")
    assert (found["value"], found["n_unscored"]) == (None, 1)
    assert found["caution"].startswith("unscored: 1 text_cut; ")


def test_models_are_compared_by_images_and_not_by_what_all_images_decide_together(tmp_path: Path) -> None:
    rows = [made(n, model=model, texts=["one two" if n else "one"]) for n in range(3) for model in ("one", "two")]
    WRITTEN[HEIGHT] = [TextLine("one", 1.0, (0, 0, 9, 9))]
    evaluated(tmp_path, rows, "oneig_text", "own_text", compare={"by": "model"})
    names = {row["metric"] for row in read(tmp_path, "SELECT DISTINCT metric FROM differences")}
    assert names == {"oneig_text_images_eye.text_score"}


def test_model_without_an_image_of_a_text_has_no_number(tmp_path: Path) -> None:
    written(tmp_path, "one", made(0, "anime"))
    found = result_of(tmp_path, "oneig_text_official_eye.text_score_pooled", model="one")
    assert (found["value"], found["n"], found["reason"]) == (None, 0, "nothing_asked")


def test_error_of_the_number_is_that_of_leaving_each_image_out() -> None:
    dice = np.random.default_rng(0)
    expected = dice.integers(2, 30, 300).astype(float)
    matched = dice.binomial(expected.astype(int), 0.7).astype(float)
    edits = np.where(matched == expected, 0.0, (expected - matched) * dice.integers(1, 9, 300))
    parts = np.stack([edits, matched, expected], axis=1)
    for pool in (TextErrors(100, "mean"), TextErrors(9, "mean"), TextErrors(20, "image")):
        shares = shares_of(parts, pool)
        left_out = np.array([shares_of(np.delete(parts, n, axis=0), pool).mean() for n in range(300)])
        jackknife = float(np.sqrt(299 / 300 * ((left_out - left_out.mean()) ** 2).sum()))
        assert shares.std(ddof=1) / 300**0.5 == pytest.approx(jackknife, rel=0.05)


def drawn_texts(dice: np.random.Generator, prompts: int) -> np.ndarray:
    """Return edits, matched and expected words of four images of each prompt, some prompts easier than others."""
    expected, skill = np.repeat(dice.integers(2, 40, prompts), 4), np.repeat(dice.beta(4, 1.5, prompts), 4)
    matched = dice.binomial(expected, skill)
    return np.stack([(expected - matched) * dice.integers(1, 8, 4 * prompts), matched, expected], axis=1).astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("pool", [TextErrors(100, "mean"), TextErrors(50, "image"), TextErrors(20, "mean")], ids=str)
def test_interval_holds_the_truth_as_often_as_it_says(pool: TextErrors) -> None:
    truth = shares_of(drawn_texts(np.random.default_rng(1), 200_000), pool).mean()
    dice, prompts = np.random.default_rng(2), np.repeat(np.arange(200), 4)
    found = [clustered_mean(shares_of(drawn_texts(dice, 200), pool), prompts) for _ in range(1000)]
    assert 0.93 <= np.mean([one.ci_low <= truth <= one.ci_high for one in found]) <= 0.975


def test_no_text_that_is_asked_for_has_letters_left() -> None:
    assert gap_of("a", asked_text(["!"], "listed")) == (1, 0, 0)
    assert compared("", "all") == ""


def test_question_is_wrong_where_the_own_answer_of_a_parent_is_no(tmp_path: Path) -> None:
    """The fourth hangs on the third, which is zeroed by the second and was answered with yes: it counts."""
    SAID.update({"b?": "no", "unsure?": "(unparsed)"})
    chain = [
        {"id": str(n), "question": text, "parents": [str(n - 1)] if n > 1 else []}
        for n, text in enumerate(("a?", "b?", "c?", "d?"), 1)
    ]
    rows = [
        made(0, "anime", questions=chain),
        made(1, "human", questions=[{"question": "a?"}, {"question": "unsure?"}]),
        made(2, "text", texts=["OPEN"]),
        made(3, "reasoning"),
    ]
    evaluated(tmp_path, rows, "oneig_alignment", "own_answers")
    found = result_of(tmp_path, "oneig_alignment_official_eye.question_accuracy", model="one")
    assert (found["value"], found["n"]) == (pytest.approx((2 / 4 + 1 / 2) / 2), 2)
    assert "2 of 695 prompts" in found["caution"]
    name = "oneig_alignment_corrected_eye.question_accuracy"
    assert result_of(tmp_path, name, model="one")["value"] == pytest.approx((2 / 4 + 1) / 2)
    assert result_of(tmp_path, name, model="one", category="human")["value"] == 1.0


def test_grids_of_upstreams_folder_are_imported_and_held_against_reference_answers(tmp_path: Path) -> None:
    grid = Image.new("RGB", (96, 64))
    for number in range(4):
        part = Image.open(io.BytesIO(picture(number, (48, 32), kind="PNG")))
        grid.paste(part, (number % 2 * 48, number // 2 * 32))
    for aspect in ("reasoning", "text"):
        place = tmp_path / "images" / aspect / "flux"
        place.mkdir(parents=True)
        grid.save(place / "000.webp", lossless=True)
    prompts = ("--prompts", "oneig", "--set", f"prompts.path={oneig_folder(tmp_path / 'upstream')}")
    call("generate", "import", tmp_path / "images", *prompts, "--out", tmp_path / "generated")
    encoders = {"clip": {"kind": "projection", "options": {"dim": 8}}}
    run(make_config(tmp_path, encoders=encoders, protocols=[{"protocol": "oneig_reasoning", "encoder": "clip"}]))
    found = result_of(tmp_path, "oneig_reasoning_official_clip.reference_cosine", model="flux")
    assert (found["n"], found["n_unscored"]) == (4, 0)
    assert "1 of 225 prompts" in found["caution"]


def test_a_prompt_counts_once_in_reasoning_whatever_number_of_images_it_has(tmp_path: Path) -> None:
    """A black part of upstream's grid is none; here a prompt of three images weighs as much as one of four."""
    rows = [
        Made("one", prompt, sample, category="reasoning", picture=9 * prompt + sample, benchmark="o")
        for prompt, count in enumerate((3, 4, 1))
        for sample in range(count)
    ]
    make_generated(tmp_path / "generated", rows, kinds={"o": "oneig"}, carried={"reference_answer": "K2"})
    encoders = {"clip": {"kind": "projection", "options": {"dim": 8}}}
    run(make_config(tmp_path, encoders=encoders, protocols=[{"protocol": "oneig_reasoning", "encoder": "clip"}]))
    name = "oneig_reasoning_official_clip.reference_cosine"
    images = read(
        tmp_path,
        "SELECT prompt_id, value FROM scores JOIN images USING (run_id, dataset, key) WHERE score = ?",
        (name,),
    )
    each = [
        [row["value"] for row in images if row["prompt_id"] == prompt]
        for prompt in {row["prompt_id"] for row in images}
    ]
    assert sorted(map(len, each)) == [1, 3, 4]
    assert result_of(tmp_path, name, model="one")["value"] == pytest.approx(np.mean([np.mean(of) for of in each]))


def test_no_edits_that_count_are_refused() -> None:
    with pytest.raises(ConfigError, match="most_edits is at least 1, not 0"):
        make_score("text_edits", {"judge": own_judges.own_text(), "most_edits": 0})
