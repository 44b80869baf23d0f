"""Every count of a report leads to exactly the images that it counts: real evaluations, and the filters of the gallery.

The gallery's filters are read here once more, from the files that the browser reads.
"""

import dataclasses
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import own_judges
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import picture
from evaluate_configs import make_config, read, run
from report_browser import watch
from report_gallery import Gallery, counts
from report_world import World
from sealed import seal_dataset
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.data.shards import write_shard
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

CAUTION = re.compile(r'<li>([^<]*) <a href="(gallery\.html#[^"]*)">Show</a>')
PROJECTION = {"p": {"kind": "projection", "options": {"dim": 4}}}


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def report(folder: Path, **changes: Any) -> Path:
    config = {"job": "report", "store": folder / "store.duckdb", **changes}
    build_report(ReportConfig.model_validate(config), folder / "out")
    return folder / "out"


def check_counts(out: Path, page: str = "", at_least: int = 1) -> list[tuple[str, int]]:
    """Check the counts of a page (of all pages) and return their addresses and numbers."""
    found = [each for each in counts(out) if page in ("", each[0])]
    assert [each for each in found if each[2] != each[3]] == []
    assert len(found) >= at_least
    return [(address, said) for _, address, said, _ in found]


def cautions_of(out: Path) -> list[tuple[str, int]]:
    """Return the cautions that lead to images, and to how many."""
    gallery, text = Gallery(out), (out / "index.html").read_text(encoding="utf-8")
    return [(html.unescape(said), gallery.count(address)) for said, address in CAUTION.findall(text)]


def change_column(folder: Path, name: str, values: Sequence[Any]) -> None:
    """Give a column of a dataset of kind generated other values."""
    files = sorted((folder / "data").glob("*.parquet"))
    infos, start = [], 0
    for file in files:
        table = pq.read_table(file)
        place = table.schema.get_field_index(name)
        column = pa.array(values[start : start + len(table)], table.schema.field(name).type)
        infos.append(write_shard(table.set_column(place, table.schema.field(name), column), file))
        start += len(table)
    manifest = {"kind": "generated", "name": "tiny", "licence": "", "made_by": {}}
    seal_dataset(folder, infos, manifest)


def make_real(folder: Path) -> dict[str, Any]:
    make_dataset(folder / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(12)])
    return {"path": str(folder / "real"), "role": "reference"}


def lost(rows: list[Made], *numbers: int) -> list[Made]:
    return [dataclasses.replace(row, picture=None) if n in numbers else row for n, row in enumerate(rows)]


def test_a_distance_counts_the_images_with_a_picture_and_leaves_out_the_others(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", lost(made_grid(prompts=6), 3, 5, 14))
    config = make_config(tmp_path, encoders=PROJECTION)
    config["datasets"]["real"] = make_real(tmp_path)
    metrics = ("frechet_distance", "kernel_distance")
    by = ([], ["model"])
    run(
        {
            **config,
            "distances": [
                {"metric": metric, "encoder": "p", "reference": "real", "by": names}
                for metric in metrics
                for names in by
            ],
        }
    )
    out = report(tmp_path)
    found = check_counts(out, "scores.html", 12)
    assert sorted(said for _, said in found) == sorted(2 * [21, 3, 10, 2, 11, 1])
    left_out = [said for said in cautions_of(out) if "leaves out" in said[0]]
    assert left_out == [
        ("Fréchet distance leaves out 3 images (12 %).", 3),
        ("Kernel distance leaves out 3 images (12 %).", 3),
    ]


def test_a_picture_that_cannot_be_decoded_counts_for_no_distance(tmp_path: Path) -> None:
    rows = [Row(picture(seed), f"blobs {seed}") for seed in range(12)]
    rows += [Row(b"<html>", "said to be fine"), Row(None, "not there", "not_found", None)]
    make_dataset(tmp_path / "generated", rows)
    config = make_config(tmp_path, encoders=PROJECTION)
    config["datasets"] = {
        "pairs": {"path": str(tmp_path / "generated"), "role": "pairs"},
        "real": make_real(tmp_path),
    }
    run({**config, "distances": [{"metric": "frechet_distance", "encoder": "p", "reference": "real", "by": []}]})
    out = report(tmp_path)
    assert [said for _, said in check_counts(out, "scores.html")] == [12, 2]
    said = dict(cautions_of(out))
    assert said["Fréchet distance leaves out 2 images (14 %)."] == 2
    (broken,) = [n for text, n in said.items() if "cannot be decoded" in text]
    assert broken == 1


@pytest.fixture
def grouped(tmp_path: Path) -> Path:
    """Means by columns that are no facets of every report, some without a value, and a score without any of some."""
    rows = [
        dataclasses.replace(row, caption=f"number={n} class={'doctor' if n % 3 else 'cook'}" if n % 4 else None)
        for n, row in enumerate(made_grid(prompts=6, samples=3))
    ]
    make_generated(tmp_path / "generated", rows)
    change_column(tmp_path / "generated", "negative_prompt", [(None, "", "a_b", 'x"<y')[n % 4] for n in range(36)])
    change_column(tmp_path / "generated", "category", [([], ["figure"], ["figure", "two"])[n % 3] for n in range(36)])
    change_column(tmp_path / "generated", "format", [("png", "webp")[n // 6 % 2] for n in range(36)])
    by = ("negative_prompt", "sample", "seed", "category", "attribute_class", "hats.attribute_class", "format", "width")
    scores = {"size": {"score": "told_number"}, "hats": {"score": "told_attribute"}}
    means: list[dict[str, Any]] = [{"score": "number", "by": [name]} for name in by]
    means += [{"score": "number", "by": ["model", "negative_prompt", "sample"]}]
    run(make_config(tmp_path, scores=scores, means=means))
    return tmp_path


def test_groups_by_any_column_lead_to_their_images_also_those_without_a_value(grouped: Path) -> None:
    out = report(grouped)
    results = read(grouped, "SELECT * FROM results")
    found = check_counts(out, "", len(results))
    said = sorted(said for address, said in found if "negative_prompt:none" in address and "model" not in address)
    assert said == sorted(
        row[kind]
        for row in results
        if row["groups"] == {"negative_prompt": None}
        for kind in ("n", "n_unscored")
        if row[kind]
    )
    assert any("format:webp" in address for address, _ in found)
    assert Gallery(out).words("category")[:3] == [[], ["figure"], ["figure", "two"]]
    assert {"f=category:none", "f=category:figure", "f=category:two"} <= {
        part for address, _ in found for part in address.partition("#")[2].replace("&amp;", "&").split("&")
    }
    assert any("attribute_class:none" in address for address, _ in found)


def test_columns_that_are_only_grouped_by_stand_in_no_list_and_once_in_the_drawer(grouped: Path, browser: Any) -> None:
    out = report(grouped)
    facets = Gallery(out).facets
    assert not any(facets[name]["listed"] for name in ("negative_prompt", "sample", "seed", "format", "width"))
    with watch(browser) as tab:
        tab.open(out / "gallery.html", "#sel=2")
        tab.page.locator("#drawer[open] h2").wait_for()
        labels = tab.page.locator("#drawer dt").all_inner_texts()
        assert labels.count("Sample") == labels.count("Negative prompt") == labels.count("Width") == 1
        for address, said in check_counts(out, "scores.html")[:12]:
            tab.open(out / "gallery.html", f"#{html.unescape(address).partition('#')[2]}")
            assert tab.page.locator("#count").inner_text().startswith(f"{said} of "), address


def test_an_image_that_several_groupings_leave_out_is_said_once_per_dataset(tmp_path: Path) -> None:
    for label, step in (("generated", 3), ("second", 4)):
        rows = [
            dataclasses.replace(row, caption=f"number={n}" if n % step else "nothing")
            for n, row in enumerate(made_grid(prompts=6))
        ]
        make_generated(tmp_path / label, rows)
    config = make_config(tmp_path, scores={"size": {"score": "told_number"}})
    config["datasets"]["second"] = {"path": str(tmp_path / "second")}
    means: list[dict[str, Any]] = [{"score": "number", "by": by} for by in ([], ["model"], ["model", "sample"])]
    run({**config, "means": means})
    expected = [
        ("Number (size) leaves out 8 images in generated (33 %).", 8),
        ("Number (size) leaves out 6 images in second (25 %).", 6),
    ]
    assert cautions_of(report(tmp_path)) == expected
    run({**config, "means": means[1:]})
    assert cautions_of(report(tmp_path)) == expected
    run({**config, "means": means[2:]})
    assert cautions_of(report(tmp_path)) == expected


def test_an_image_of_which_nothing_was_asked_is_not_among_those_left_out(tmp_path: Path) -> None:
    said = ("correct=1", "correct=0", "unreadable", "reason=not_asked", "reason=not_asked")
    rows = [dataclasses.replace(row, caption=said[n % 5]) for n, row in enumerate(made_grid(prompts=5))]
    make_generated(tmp_path / "generated", rows)
    means: list[dict[str, Any]] = [{"score": "object_correct", "by": by} for by in ([], ["model"])]
    run(make_config(tmp_path, scores={"objects": {"score": "told_accuracy"}}, means=means))
    found = check_counts(report(tmp_path), "scores.html", 6)
    left_out = {address.partition("#")[2]: n for address, n in found if "none" in address}
    stored = read(tmp_path, "SELECT n, n_unscored FROM results")
    assert sorted(left_out.values()) == sorted(row["n_unscored"] for row in stored if row["n_unscored"])
    assert sum(row["n"] + row["n_unscored"] for row in stored) < len(stored) * 20, "some were not asked"
    assert all("none%3Anot_told" in address and "not_asked" not in address for address in left_out)
    assert cautions_of(tmp_path / "out") == [("Object accuracy (objects) leaves out 4 images (33 %).", 4)]


@pytest.mark.parametrize("missing", ["blur", "show"])
def test_the_caution_of_blurred_pictures_opens_exactly_those(world: World, tmp_path: Path, missing: str) -> None:
    values = sorted(row["value"] for row in scores_of(world) if row["value"] is not None)
    flagged = {"score": "clip_similarity", "above": values[100], "missing": missing, "datasets": ["generated"]}
    build_report(world.config(flagged=flagged), tmp_path / "out")
    (found,) = [said for said in cautions_of(tmp_path / "out") if "blurred on disk" in said[0]]
    expected = sum(value > values[100] for value in values) + 3 * (missing == "blur")
    assert found[0].startswith(f"{expected} pictures are blurred on disk")
    assert found[1] == expected


def scores_of(world: World) -> list[dict[str, Any]]:
    return read(world.store.parent, "SELECT value FROM scores WHERE score = 'match.clip_similarity'")


def figure(n: int, who: str | None, hat: str | None, seen: str | None = None, category: str = "figure") -> Made:
    caption = f"hat={hat} class={seen or who}" if hat else "nobody"
    checks = {"include": [{"class": who, "count": 1}]} if who else None
    return Made(("raw", "good")[n % 2], n, category=category, checks=checks, caption=caption)


def figures() -> list[Made]:
    """Return images that show what was asked for, another class, nobody, and such of which nobody knows the class."""
    asked = [("doctor", "orange", None), ("doctor", "blue", "cook"), ("doctor", None, None), ("cook", "blue", None)]
    free = [(None, "orange", "cook"), (None, None, None), (None, "blue", "doctor")]
    rows = [figure(n, *asked[n % 4]) for n in range(18)]
    rows += [figure(18 + n, *free[n % 3]) for n in range(14)]
    return rows + [figure(32 + n, "fish", None, category="animal") for n in range(4)]


@pytest.mark.parametrize("category", ["figure", None])
@pytest.mark.parametrize("by", [["model", "attribute_class"], ["attribute_class"], ["model"], []])
def test_every_count_of_the_audit_leads_to_its_images(tmp_path: Path, by: list[str], category: str | None) -> None:
    make_generated(tmp_path / "generated", figures())
    audit = {"attribute": "hats.attribute", "by": by, "category": category, "values": ["blue", "orange", "red"]}
    run(make_config(tmp_path, scores={"hats": {"score": "told_attribute"}}, audit=audit))
    out = report(tmp_path)
    found = check_counts(out, "audit.html")
    page = (out / "audit.html").read_text(encoding="utf-8")
    unjudged = [int(n) for n in re.findall(r'href="gallery[^"]*audit:unjudged[^"]*">(\d+) images? unjudged</a>', page)]
    groups = {json.dumps(row["groups"]): row["n_unscored"] for row in read(tmp_path, "SELECT * FROM audits")}
    assert sum(unjudged) == sum(groups.values()) > 5
    shares = read(tmp_path, "SELECT k, n FROM audits")
    assert len(found) == sum((row["k"] > 0) + (row["n"] > 0) for row in shares) + len(unjudged), "a 0 leads nowhere"
    heads = set(re.findall(r'<th scope="rowgroup"[^>]*>(?:<bdi>)?([^<]*)', page))
    assert heads == ({"cook", "doctor", "none"} if "attribute_class" in by else {"all"})


@pytest.mark.parametrize("by", [["model"], ["model", "attribute_class"], ["model", "hats.attribute_class"]])
def test_an_audit_that_could_judge_nothing_leads_to_the_unjudged_images_alone(tmp_path: Path, by: list[str]) -> None:
    nobody = [figure(2 * n, "doctor", None) for n in range(3)]
    hats = [figure(21 + 2 * n, "doctor", "blue") for n in range(4)]
    for rows, counted in (
        (nobody, [("unjudged", 3)]),
        ([*nobody, *hats], [("judged", 4), ("judged", 4), ("unjudged", 3)]),
    ):
        folder = tmp_path / str(len(rows))
        make_generated(folder / "generated", rows)
        audit = {"attribute": "hats.attribute", "by": by}
        run(make_config(folder, scores={"hats": {"score": "told_attribute"}}, audit=audit))
        found = check_counts(report(folder), "audit.html")
        assert sorted((("unjudged" if "unjudged" in address else "judged"), said) for address, said in found) == counted


def test_a_number_of_nothing_leads_nowhere(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", [*made_grid(prompts=2, samples=1), figure(50, None, None)])
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number"}]))
    (row, *_) = read(tmp_path, "SELECT * FROM results")
    assert (row["n"], row["reason"]) == (0, "nothing_scored")
    out = report(tmp_path)
    assert not re.findall(r"<a [^>]*>(?:n )?0</a>", "".join(page.read_text("utf-8") for page in out.glob("*.html")))
    assert check_counts(out, "scores.html")


def test_one_group_outside_chance_is_not_groups(tmp_path: Path) -> None:
    rows = [figure(2 * n, "doctor", "orange") for n in range(12)] + [figure(30, "doctor", None)]
    make_generated(tmp_path / "generated", rows)
    audit = {"by": ["model", "attribute_class"], "values": ["orange", "blue"]}
    run(make_config(tmp_path, scores={"hats": {"score": "told_attribute"}}, audit=audit))
    text = re.sub(r"<[^>]+>", "", (report(tmp_path) / "audit.html").read_text(encoding="utf-8"))
    assert "1 group outside chance, 1 image unjudged (1 none detected)" in text


def test_a_number_over_questions_leads_to_no_images_and_says_what_it_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_judges.install(monkeypatch)
    checks = {"questions": [{"question": "A fish?", "tags": ["entity"]}, {"question": "Red?", "tags": ["attribute"]}]}
    rows = [Made("one", number, checks=checks, benchmark="dsg", picture=number or None) for number in range(3)]
    make_generated(tmp_path / "generated", rows, kinds={"dsg": "dsg"})
    protocols = [{"protocol": "dsg", "judge": "eye", "rules": ["corrected"]}]
    run(make_config(tmp_path, judges={"eye": {"kind": "own_answers"}}, protocols=protocols))
    page = (report(tmp_path) / "scores.html").read_text("utf-8")
    assert "Question kind" in page
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "Questions right (dsg_corrected_eye) leaves out 2 questions (33 %)." in text
    assert check_counts(tmp_path / "out", "scores.html", 4)
