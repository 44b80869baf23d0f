"""Prompts of two files that have one name, as a line has by default, are two where the datasets tell of their sets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import call, call_json, make_config, read, run
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.data.same_prompt import texts_apart
from diptych.evaluate.comparisons.stores import compare_labels

TXT = {"txt": "txt"}


def made(model: str, texts: Sequence[str], first: int = 0) -> list[Made]:
    """Return an image of each text, named by its place, with a picture of its own."""
    return [
        Made(model, number, benchmark="txt", caption=f"{text} number={number + first}", picture=first + number)
        for number, text in enumerate(texts)
    ]


def two_datasets(folder: Path, *, role: str = "generated", kinds: Sequence[Any] = (TXT, TXT), same: int = 0) -> Any:
    """Return a config over two datasets of 20 prompts each, of which the first so many are the same."""
    dogs = [f"a dog {number}" for number in range(20)]
    castles = [*dogs[:same], *(f"a castle {number}" for number in range(same, 20))]
    make_generated(folder / "generated", made("a", dogs), kinds=kinds[0])
    rows = [*made("b", castles[:same]), *made("b", castles, 500)[same:]]
    make_generated(folder / "d2", rows, kinds=kinds[1])
    config = make_config(folder, encoders={"p": {"kind": "projection", "options": {"dim": 6}}})
    config["datasets"]["d2"] = {"path": str(folder / "d2"), "role": role}
    return config


@pytest.mark.parametrize(
    ("same", "kinds", "n"), [(0, (TXT, TXT), 0), (8, (TXT, TXT), 8), (20, (TXT, TXT), 20), (0, (TXT, None), 20)]
)
def test_pairs_are_of_equal_prompts_and_not_of_equal_names(
    same: int, kinds: Sequence[Any], n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one dataset does not tell of its set, its captions may be anything, and the names have to do."""
    install(monkeypatch)
    config = two_datasets(tmp_path, kinds=kinds, same=same)
    run({**config, "scores": {"n": {"score": "told_number"}}, "means": [{"score": "number"}], "compare": {}})
    (row,) = read(tmp_path, "SELECT n, value, reason FROM differences")
    assert (row["n"], row["value"] is None, row["reason"] == "no_common_images") == (n, n == 0, n == 0)
    (told,) = compare_labels(tmp_path / "store.duckdb", "a", "b").rows
    assert (told.n, told.reason) == (row["n"], row["reason"]), "the command says what the run says"


@pytest.mark.parametrize(("same", "in_both"), [(0, 0), (8, 8)])
def test_a_reference_of_other_prompts_by_the_same_names_has_none_in_common(
    same: int, in_both: int, tmp_path: Path
) -> None:
    config = two_datasets(tmp_path, role="reference", same=same)
    run({**config, "distances": [{"metric": "kid", "encoder": "p", "reference": "d2"}]})
    (row,) = read(tmp_path, "SELECT metric, ci_low, caution FROM results")
    assert (row["metric"], row["ci_low"] is None) == (
        ("biased_kernel_distance", True) if in_both else ("kernel_distance", False)
    )
    assert ("in both sets" in (row["caution"] or "")) == bool(in_both)


@pytest.mark.parametrize("as_statistics", [False, True])
@pytest.mark.parametrize(("same", "in_both"), [(0, 0), (8, 8)])
def test_a_distance_on_the_command_line_holds_equal_prompts_for_equal_and_not_equal_names(
    same: int, in_both: int, as_statistics: bool, tmp_path: Path
) -> None:
    two_datasets(tmp_path, same=same)
    encoder, b = ("--encoder", "projection", "--set", "dim=6"), tmp_path / "d2"
    if as_statistics:
        b = tmp_path / "d2.npz"
        assert call("evaluate", "statistics", tmp_path / "d2", "--out", b, *encoder).exit_code == 0
    found = call_json("evaluate", "distance", tmp_path / "generated", b, "--metric", "kid", *encoder)["values"]
    assert list(found) == ["biased_kernel_distance" if in_both else "kernel_distance"]
    (value,) = found.values()
    assert ("in both sets" in (value["caution"] or "")) == bool(in_both)


def test_a_file_that_grew_is_the_same_and_each_text_beside_the_first_is_another_prompt() -> None:
    def apart(*datasets: Sequence[tuple[str, str]]) -> list[list[str | None]]:
        first: dict[str, str] = {}
        return [texts_apart(each, first) for each in datasets]

    def named(*texts: str) -> list[tuple[str, str]]:
        return [(str(number), text) for number, text in enumerate(texts)]

    grown = apart(named("a", "b"), named("a", "b", "c"), named("a", "b", "d"))
    assert grown == [[None] * 2, [None] * 3, [None, None, "d"]]
    assert apart(named("a"), named("b"), named("b")) == [[None], ["b"], ["b"]]
    assert apart(named("a"), [*named("b"), *named("a"), *named("c")]) == [[None], ["b", None, "c"]]


def test_raw_and_rewritten_prompts_of_one_number_are_two_in_a_dataset_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    dogs, long = ([f"{what} {number}" for number in range(6)] for what in ("a dog", "a large brown dog on grass"))
    rows = [*made("raw", dogs), *made("rewritten", long, 500), *made("other", dogs, 900)]
    rows = [replace(row, caption=(row.caption or "").partition(" number")[0] + " number=1") for row in rows]
    make_generated(tmp_path / "generated", rows, kinds=TXT)
    config = {**make_config(tmp_path), "scores": {"n": {"score": "told_number"}}}
    run({**config, "means": [{"score": "number"}], "compare": {"by": "model"}})
    found = {(row["a"], row["b"]): row["n"] for row in read(tmp_path, "SELECT a, b, n FROM differences")}
    assert sorted(found.values()) == [0, 0, 6]
    assert next(n for pair, n in found.items() if "rewritten" not in pair) == 6
