"""What the pages say, against the store and the plainest reading of it."""

import re
import shutil
from pathlib import Path
from typing import Any

from report_world import World

from diptych.reports.build import build_report
from diptych.reports.pages.audit import asked_for, judge
from diptych.reports.pages.compare import comparable
from diptych.reports.pages.grid import choose_axes
from diptych.reports.pages.provenance import redacted
from diptych.reports.pages.scores import notes_of
from diptych.reports.read.cautions import cautions
from diptych.reports.read.numbers import interval, number, share
from diptych.reports.read.picture_job import Picture
from diptych.reports.read.report import Report
from diptych.reports.read.rows import RowsPart, join
from diptych.reports.verdicts import sentence
from diptych.store.store import ResultRow, Store


def text_of(page: Path) -> str:
    """Return the words of a page, one space between them."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")).split())


def test_sentence_counts_and_weighs_nothing() -> None:
    def said(*words: str, metrics: str = "abcd") -> str:
        return sentence(
            [{"a": "x", "b": "y", "word": word, "metric": metric} for word, metric in zip(words, metrics, strict=False)]
        )

    assert said("better", "better", "worse", "not resolved") == (
        "Against y, x is better on 2 of 4 metrics, worse on 1 of 4, not told apart on 1 of 4."
    )
    assert said("better", "no interval") == "Against y, x is better on 1 of 2 metrics, without an interval on 1 of 2."
    assert said("better") == "x is better than y by A."
    assert said("not resolved") == "x and y cannot be told apart by A."
    assert said("no interval").endswith(" has no interval, so that nothing is settled.")
    assert said("not computed") == "x and y could not be compared."
    assert said("not computed", "no interval") == (
        "Against y, x is without an interval on 1 of 2 metrics, not compared on 1 of 2."
    )
    assert said("better", "worse", metrics="aa") == "Against y, x is better on 1 of 2 comparisons, worse on 1 of 2."
    assert sentence([]) == ""


def test_overview_has_the_numbers_of_the_store(world: World, built: Path) -> None:
    text = text_of(built / "index.html")
    with Store.open(world.store, read_only=True) as store:
        rows = store.query("SELECT * FROM differences WHERE len(json_keys(groups)) = 0")
    assert len(rows) == 3
    for row in rows:
        step = (row["ci_high"] - row["ci_low"]) / 2 if row["ci_low"] is not None else None
        assert number(row["value"], step=step, signed=True) in text
        assert interval(row["ci_low"], row["ci_high"], signed=True) in text or row["reason"] == "no_interval"
    assert "Against rough, fine is better on 2 of 3 metrics, without an interval on 1 of 3" in text
    assert "CLIP score (match) leaves out 3 images" in text


def test_headlines_name_the_dataset_where_there_are_two(world: World, built: Path, tmp_path: Path) -> None:
    assert "fine (generated)" not in text_of(built / "index.html")
    path = Path(shutil.copy(world.store, tmp_path / "two.duckdb"))
    with Store.open(path) as store:
        rows = store.query("SELECT * FROM results WHERE metric = 'match.clip_score' AND len(json_keys(groups)) = 1")
        store.insert_results([ResultRow(**{**row, "dataset": "occupations"}) for row in rows])
    build_report(world.config(store=path), tmp_path / "out")
    text = text_of(tmp_path / "out" / "index.html")
    for dataset in ("generated", "occupations"):
        assert f"fine ({dataset})" in text
        assert f"rough ({dataset})" in text


def test_scores_page_has_every_result_with_its_n(world: World, built: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in sorted(built.glob("scores*.html"))]
    with Store.open(world.store, read_only=True) as store:
        rows = store.query("SELECT * FROM results")
        differences = store.query("SELECT * FROM differences")
    assert {row["metric"] for row in rows} == {"objects.object_accuracy", "match.clip_score", "frechet_distance"}
    assert all(row["value"] is not None for row in rows)
    shown = sum(page.count('<td class="n figure">') for page in pages)
    more = sum(int(n) for page in pages for n in re.findall(r"(\d+) further rows are in the store", page))
    assert shown + more == len(rows) + len(differences)
    text = " ".join(text_of(page) for page in sorted(built.glob("scores*.html")))
    for row in rows:
        assert f" {row['n']} " in text
        assert row["identity_id"] in text
    for row in (row for row in rows if set(row["groups"]) == {"model"}):
        assert row["note"] in text


def test_audit_page_has_every_share(world: World, built: Path) -> None:
    text = text_of(built / "audit.html")
    with Store.open(world.store, read_only=True) as store:
        rows = store.query("SELECT * FROM audits")
    for row in rows:
        assert f"{row['k']} of {row['n']}" in text
        assert share(row["k"], row["n"]) in text
    assert "it makes no statement about identity" in text


def test_a_share_leads_to_the_prompts_that_asked_for_its_class_and_to_those_of_which_nobody_knows() -> None:
    prompts = {"d": {"1": "cook", "2": "doctor", "3": "doctor", "4": None}, "plain": {"1": None}}
    row = {"dataset": "d", "groups": {"model": "m", "attribute_class": "doctor"}}
    assert asked_for(row, prompts) == {"prompt_id": ["2", "3", "4"]}
    assert asked_for({**row, "groups": {"model": "m"}}, prompts) == {}
    assert asked_for({**row, "dataset": "plain"}, prompts) == {}, "there every image counts as what is seen"


def test_share_is_judged_by_the_band_of_chance() -> None:
    band = {"null_low": 0.3, "null_high": 0.7}
    assert [judge({"share": value, **band}) for value in (0.1, 0.3, 0.5, 0.8, None)] == [
        "below",
        "within",
        "within",
        "above",
        "",
    ]
    assert judge({"share": 0.9, "null_low": None, "null_high": None}) == ""


def group(**values: Any) -> dict[str, Any]:
    return {"model": "m", "sampler": "euler", "steps": 10, "guidance": 5.0, "setting": "s", **values}


def test_axes_are_those_that_vary() -> None:
    grid = [group(steps=s, guidance=g, setting=f"{s}{g}") for s in (10, 25) for g in (3.0, 7.0)]
    assert choose_axes(grid) == ["steps", "guidance"]
    assert choose_axes([group(model=m, setting="s") for m in "ab"]) == ["model"]


def test_settings_that_the_columns_do_not_tell_apart_are_an_axis() -> None:
    assert choose_axes([group(setting="plain"), group(setting="with a negative prompt")]) == ["setting"]
    both = [group(model=m, setting=s) for m in "ab" for s in ("plain", "negative")]
    assert choose_axes(both) == ["model", "setting"]


def test_secrets_and_folders_above_are_left_out() -> None:
    shown = redacted(
        {"encoder": {"hf_token": "hf_x", "weights": "/home/ada/models/clip.pt"}, "list": ["/a/b/c"], "n": 1}
    )
    assert shown == {"encoder": {"hf_token": "redacted", "weights": "…/models/clip.pt"}, "list": ["…/b/c"], "n": 1}


def test_provenance_names_no_folder_of_this_machine(world: World, built: Path) -> None:
    text = (built / "provenance.html").read_text(encoding="utf-8")
    assert world.generated.fingerprint[:12] in text
    for folder in (world.store.parent, Path.home(), Path.cwd()):
        assert str(folder) not in text
    for page in built.glob("*.html"):
        assert str(world.store.parent) not in page.read_text(encoding="utf-8"), page.name


def test_many_notes_become_one_example() -> None:
    assert notes_of([{"note": "a"}, {"note": "a"}, {"note": None}]) == ["a"]
    assert notes_of([{"note": letter} for letter in "abc"]) == ["for example: a"]


def report_on(columns: dict[str, list[Any]], world: World) -> Report:
    count = len(columns["key"])
    rows = join([RowsPart({"dataset": ["d"] * count, "status": ["ok"] * count, **columns}, total=count)], {})
    return Report(world.config(), rows, [Picture("ab" * 8)] * count, (), None, {})


def test_pictures_are_compared_by_prompt_and_seed_only(world: World) -> None:
    columns = {
        "key": ["1", "2", "3", "4", "5"],
        "model": ["a", "b", "a", "b", "a"],
        "setting": ["s"] * 5,
        "prompt_id": ["p", "p", "p", "q", None],
        "seed": [1, 1, 2, 1, None],
    }
    assert comparable(report_on(columns, world)) == [{"a": 0, "b": 1}]


def test_settings_take_the_place_of_models_where_there_is_one(world: World) -> None:
    columns = {"key": ["1", "2"], "model": ["a", "a"], "setting": ["s", "t"], "prompt_id": ["p", "p"], "seed": [1, 1]}
    assert comparable(report_on(columns, world)) == [{"s": 0, "t": 1}]


def result(**values: Any) -> dict[str, Any]:
    plain = {"metric": "m", "dataset": "d", "groups": {"model": "a"}, "value": 1.0, "n": 5, "n_unscored": 0}
    plain |= {"ci_low": 0.5, "ci_high": 1.5}
    return {**plain, "identity_id": "aaaa", "reason": None, "size_bias": None, **values}


def test_cautions_name_what_may_mislead(world: World) -> None:
    report = report_on({"key": ["1"]}, world)
    results = [
        result(metric="frechet_distance", n=500, size_bias="corrected"),
        result(
            metric="frechet_distance", n=400, groups={"model": "b"}, ci_low=None, ci_high=None, size_bias="corrected"
        ),
        result(metric="recall", n=50, size_bias="uncorrected"),
        result(metric="recall", n=40, groups={"model": "b"}, size_bias="uncorrected"),
        result(metric="free", n=30, ci_low=None, ci_high=None),
        result(metric="free", n=20, groups={"model": "b"}),
        result(metric="clip_score", value=None, reason="nothing_scored"),
        result(metric="m", identity_id="bbbb"),
        result(),
    ]
    said = " ".join(caution["text"] for caution in cautions(report, results))
    for part in (
        "1 of 2 numbers of Fréchet distance have no interval; the notes beside them say why. Compare them only at",
        "different n (400, 500). Its correction for size is rough: compare at equal n.",
        "Recall was computed at different n (40, 50). It depends on n: compare at equal n.",
        "1 of 2 numbers of Free have no interval; the notes beside them say why.",
        "CLIP score: nothing scored",
        "M was computed in 2 ways",
    ):
        assert part in said, part
    assert "Free was computed at different n" not in said
    assert cautions(report, [result()]) == []


def test_prompts_with_more_than_one_pool_get_a_funnel_each(world: World, tmp_path: Path) -> None:
    built = build_report(world.config(store=None, pools=(world.pool, world.pool)), tmp_path / "out")
    assert {"funnel.html", "funnel-2.html"} <= set(built.pages)
    assert "pairs&#39;" in (tmp_path / "out" / "funnel-2.html").read_text(encoding="utf-8")
