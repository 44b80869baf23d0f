"""TIIF-Bench: prompts from its files, the mean over groups of the mean over types, and words that are read."""

import json
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import make_config, read, result_of, run
from own_judges import SAID, WRITTEN
from tiny_generated import Made, make_generated

from diptych.asset_folders import ASSET_FOLDERS, AssetFolder
from diptych.errors import DataError
from diptych.generate.prompts.tiif import GROUP_OF, GROUPS, tiif_mini_long, tiif_mini_short, tiif_short
from diptych.judges.contract import TextLine

HEIGHT = 32  # of every picture of ``tiny_generated``
RIGHT = "tiif_short_official_eye.questions_right"


def write_files(folder: Path, part: str = "testmini") -> None:
    """Write a prompt of each type, and its questions; two of them of ``text``."""
    for kind in GROUP_OF:
        count = 2 if kind == "text" else 1
        prompts = [
            {"type": kind, "short_description": f"a {kind} {number}", "long_description": f"what a {kind} {number}"}
            for number in range(count)
        ]
        words = ["Is the text 'Tea' in the image?", "Is the text 'Be green' in the image?"]
        asked = words if kind == "text" else [f"Is it {kind}?  "]
        about = [{"type": kind, "yn_question_list": asked, "yn_answer_list": ["Yes", "no "][: len(asked)]}] * count
        for name, lines in ((f"{part}_prompts/{kind}_prompts", prompts), (f"{part}_eval_prompts/{kind}_eval", about)):
            file = folder / (f"{name}_prompts.jsonl" if "eval" in name else f"{name}.jsonl")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def test_questions_have_their_group_and_type_and_texts_are_the_words_that_questions_name(tmp_path: Path) -> None:
    write_files(tmp_path)
    short, long = (make(path=tmp_path) for make in (tiif_mini_short, tiif_mini_long))
    by_id = {prompt.id: prompt for prompt in short.prompts}
    assert len(by_id) == 40
    assert by_id["shape+color-0"].text == "a shape+color 0"
    assert {prompt.id: prompt.text for prompt in long.prompts}["text-1"] == "what a text 1"
    assert by_id["shape+color-0"].categories == ("shape+color",)
    (question,) = by_id["shape+color-0"].checks.questions
    assert (question.question, question.answer, question.tags) == (
        "Is it shape+color?",
        "yes",
        ("attribute", "shape+color"),
    )
    assert [one.answer for one in by_id["text-0"].checks.questions] == ["yes", "no"]
    assert by_id["text-0"].checks.texts == ("Tea", "Be green")
    assert by_id["style-0"].checks.texts == ()
    assert len(GROUP_OF) == sum(map(len, GROUPS.values())) == 39


def test_upstreams_files_are_known_by_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path / "data")
    own = tiif_mini_short(path=tmp_path / "data")
    assert (own.source, own.licence) == ("data", "")
    upstream = AssetFolder(ASSET_FOLDERS["tiif-mini"].url, own.sha256, "no licence stated")
    monkeypatch.setitem(ASSET_FOLDERS, "tiif-mini", upstream)
    known = tiif_mini_short(path=tmp_path / "data")
    assert (known.source, known.licence) == (upstream.url, upstream.licence)


def test_a_line_without_questions_and_a_folder_without_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file of prompts"):
        tiif_short(path=tmp_path)
    write_files(tmp_path)
    file = tmp_path / "testmini_eval_prompts" / "text_eval_prompts.jsonl"
    file.write_text(file.read_text("utf-8").splitlines()[0], "utf-8")
    with pytest.raises(DataError, match=r"2 prompts, but .* has questions to 1"):
        tiif_mini_short(path=tmp_path)


def asked(kind: str, *questions: str) -> dict[str, Any]:
    tags = [GROUP_OF[kind], kind]
    return {"questions": [{"question": question, "answer": "yes", "tags": tags} for question in questions]}


def counted(folder: Path, monkeypatch: pytest.MonkeyPatch, rows: list[Made], **changes: Any) -> None:
    own_judges.install(monkeypatch)
    SAID.update({"wrong?": "no", "lost?": "(unparsed)"})
    make_generated(folder / "generated", rows, kinds={"tiif": "tiif_short"})
    run(
        make_config(
            folder,
            judges={"eye": {"kind": "own_answers"}},
            protocols=[{"protocol": "tiif_short", "judge": "eye"}],
            **changes,
        )
    )


def rows_of(model: str, *checks: dict[str, Any]) -> list[Made]:
    return [Made(model, number, checks=what, benchmark="tiif", category=()) for number, what in enumerate(checks)]


def test_the_whole_is_the_mean_over_groups_of_the_mean_over_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = (
        asked("shape+color", "1?", "2?", "3?"),
        asked("shape+color", "4?"),
        asked("color+texture", "wrong?"),
        asked("color+texture", "5?", "6?", "7?"),
        asked("style", "wrong?"),
        asked("style", "8?"),
        asked("real_world", "lost?"),
    )
    counted(tmp_path, monkeypatch, rows_of("one", *checks))
    whole = result_of(tmp_path, RIGHT, model="one")
    assert (whole["value"], whole["n"], whole["n_unscored"]) == (((1.0 + 0.75) / 2 + 0.5) / 2, 10, 1)
    assert whole["note"].startswith("mean over 2 groups of 3 kinds of questions")
    assert "without real world, of which nothing is answered" in whole["caution"]
    assert "the prompts of 'tiif' are not upstream's; 7 of 2,538 prompts" in whole["caution"]
    of_group = result_of(tmp_path, RIGHT, model="one", question_kind="attribute")
    assert (of_group["value"], of_group["n"]) == ((1.0 + 0.75) / 2, 8)
    assert result_of(tmp_path, f"{RIGHT}_worst", model="one")["value"] == pytest.approx((0.875 + 0.5 + 0.0) / 3)


def test_a_question_that_is_asked_twice_counts_once_in_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(tmp_path, monkeypatch, rows_of("one", asked("style", "wrong?", "1?", "1?")))
    found = [
        result_of(tmp_path, f"tiif_short_{rule}_eye.questions_right", model="one") for rule in ("official", "corrected")
    ]
    assert [(each["value"], each["n"]) for each in found] == [(pytest.approx(2 / 3), 3), (0.5, 2)]


def test_two_models_differ_by_the_difference_of_their_wholes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = (
        asked("shape+color", "1?", "2?", "3?"),
        asked("shape+color", "wrong?"),
        asked("color+texture", "4?"),
        asked("color+texture", "wrong?"),
        asked("style", "5?"),
        asked("style", "6?"),
    )
    other = (
        asked("shape+color", "wrong?", "2?", "3?"),
        asked("shape+color", "wrong?"),
        asked("color+texture", "4?"),
        asked("color+texture", "7?"),
        asked("style", "wrong?"),
        asked("style", "6?"),
    )
    counted(tmp_path, monkeypatch, [*rows_of("one", *first), *rows_of("two", *other)], compare={"by": "model"})
    for kind in (None, "attribute", "attribute - shape+color"):
        cut = {"question_kind": kind} if kind else {}
        one, two = (result_of(tmp_path, RIGHT, model=model, **cut)["value"] for model in ("one", "two"))
        (row,) = [
            row
            for row in read(tmp_path, "SELECT * FROM differences WHERE metric = ?", (RIGHT,))
            if row["groups"] == cut
        ]
        assert row["value"] == pytest.approx(one - two)
    assert row["n"] == 4


def reads(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: list[str],
    *texts: str,
    lost: bool = False,
    is_cut: bool = False,
) -> None:
    own_judges.install(monkeypatch)
    WRITTEN[HEIGHT] = [TextLine(line, 0.9, (0, 0, 9, 9), is_cut) for line in lines]
    rows = [Made("one", 0, checks={"texts": texts}, benchmark="tiif")]
    rows += [Made("one", 1, checks={"texts": texts}, benchmark="tiif", picture=None)] if lost else []
    rows.append(Made("one", 2, checks=asked("style", "1?"), benchmark="tiif"))
    make_generated(folder / "generated", rows, kinds={"tiif": "tiif_short"})
    protocols = [{"protocol": "tiif_text_short", "judge": "eye"}]
    run(make_config(folder, judges={"eye": {"kind": "own_text"}}, protocols=protocols))


def gned(folder: Path, rule: str, end: str = "") -> dict[str, Any]:
    return result_of(folder, f"tiif_text_short_{rule}_eye.text_distance{end}", model="one")


def test_an_image_without_a_picture_is_as_far_as_can_be_at_worst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads(tmp_path, monkeypatch, ["GREEN tee"], "green", "tea", lost=True)
    found = gned(tmp_path, "official")
    assert (found["n"], found["n_unscored"], found["better"]) == (1, 1, "lower")
    assert found["value"] == pytest.approx((1 / 3) / 2)
    worst = gned(tmp_path, "official", "_worst")
    assert worst["value"] == pytest.approx(((1 / 3) / 2 + 1) / 2)
    recall = result_of(tmp_path, "tiif_text_short_official_recall_eye.text_recall", model="one")
    assert recall["value"] == 0.5


def test_a_text_that_was_not_read_to_its_end_is_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads(tmp_path, monkeypatch, ["green"], "green", is_cut=True)
    found = gned(tmp_path, "official")
    assert (found["value"], found["n_unscored"]) == (None, 1)
    assert "unscored: 1 text_cut" in found["caution"]
