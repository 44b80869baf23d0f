"""What is put beside what, and how foreign names stand beside words and numbers."""

import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from report_browser import PHONE, Watched, watch
from report_world import World

from diptych.cli import main
from diptych.reports.build import build_report
from diptych.reports.pages.compare import comparable, own_settings
from diptych.reports.read.picture_job import Picture
from diptych.reports.read.report import Report
from diptych.reports.read.rows import RowsPart, join
from diptych.reports.verdicts import difference_rows, sentence
from diptych.reports.wording import isolated
from diptych.store.store import Store

LEFT, RIGHT = "euler-50-g5", "euler-28-g3.5"
EVIL = "\u202eevil\u2069\u2029\u202ename"


def changed(world: World, folder: Path, *sqls: str) -> Path:
    """Build a report, without the pool, on a copy of the store that was changed."""
    path = Path(shutil.copy(world.store, folder / "changed.duckdb"))
    with duckdb.connect(str(path)) as connection:
        for sql in sqls:
            connection.execute(sql)
    build_report(world.config(store=path, pools=()), folder / "out")
    return folder / "out"


ONE_SETTING_EACH = (
    "DELETE FROM images WHERE setting <> CASE model WHEN 'rough' THEN 'euler-10-g3' ELSE 'ddim-25-g7.5' END",
    f"UPDATE images SET setting = CASE model WHEN 'rough' THEN '{LEFT}' ELSE '{RIGHT}' END",
    "DELETE FROM scores WHERE key NOT IN (SELECT key FROM images)",
    f"""UPDATE differences SET groups = '{{"setting_a": "{RIGHT}", "setting_b": "{LEFT}"}}'""",
)


@pytest.fixture(scope="module")
def own(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on two models that ran with one setting each, and not the same one."""
    return changed(world, tmp_path_factory.mktemp("own"), *ONE_SETTING_EACH)


@pytest.fixture(scope="module")
def imported(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on images of which nobody said a seed or a setting, as of those made elsewhere."""
    told = "UPDATE images SET seed = NULL, setting = NULL, sampler = NULL, steps = NULL, guidance = NULL"
    fewer = "DELETE FROM images WHERE setting <> 'ddim-25-g7.5'"
    scores = "DELETE FROM scores WHERE key NOT IN (SELECT key FROM images)"
    pairs = "UPDATE differences SET n = 8, n_clusters = 4"
    return changed(world, tmp_path_factory.mktemp("imported"), fewer, told, scores, pairs)


@pytest.fixture(scope="module")
def evil(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on eight models, all with names that turn what comes after them."""
    name = f"model || '{EVIL}' || (hash(prompt_id || setting) % 4)"
    said = f"json_object('model', groups->>'model' || '{EVIL}0')"
    return changed(
        world,
        tmp_path_factory.mktemp("evil"),
        f"UPDATE images SET model = {name}",
        f"UPDATE results SET groups = {said} WHERE len(json_keys(groups)) = 1",
        f"UPDATE differences SET a = a || '{EVIL}0', b = b || '{EVIL}0'",
    )


def report_on(world: World, *rows: tuple[str, str, str, str]) -> Report:
    """Return a report on pictures: model, setting, prompt and benchmark."""
    models, settings, prompts, benchmarks = (list(column) for column in zip(*rows, strict=True))
    count = len(rows)
    columns: dict[str, list[Any]] = {
        "key": [str(number) for number in range(count)],
        "dataset": ["d"] * count,
        "status": ["ok"] * count,
        "seed": [1] * count,
        "model": models,
        "setting": settings,
        "prompt_id": prompts,
        "benchmark": benchmarks,
    }
    return Report(world.config(), join([RowsPart(columns, total=count)], {}), [Picture("ab" * 8)] * count, (), None, {})


def test_models_with_one_setting_each_are_paired_by_prompt_and_seed(world: World) -> None:
    report = report_on(world, ("a", "s", "p", "g"), ("b", "t", "p", "g"), ("b", "t", "q", "g"))
    assert comparable(report) == [{"a": 0, "b": 1}]
    assert own_settings(report, comparable(report)) == [("a", "s"), ("b", "t")]


def test_models_with_several_settings_are_paired_by_setting(world: World) -> None:
    rows = [("a", "s", "p", "g"), ("a", "t", "p", "g"), ("b", "t", "p", "g"), ("b", "u", "p", "g")]
    report = report_on(world, *rows)
    assert comparable(report) == [{"a": 1, "b": 2}]
    assert own_settings(report, comparable(report)) == []


def test_model_with_several_settings_keeps_its_pairs_beside_those_with_one(world: World) -> None:
    rows = [("a", "s", "p", "g"), ("b", "t", "p", "g"), ("c", "s", "p", "g"), ("c", "t", "p", "g")]
    found = comparable(report_on(world, *rows))
    assert sorted(found, key=str) == [{"a": 0, "b": 1}, {"a": 0, "c": 2}, {"b": 1, "c": 3}]


def test_settings_are_those_on_one_benchmark(world: World) -> None:
    rows = [("a", "s", "p", "g"), ("b", "t", "p", "g"), ("a", "u", "p", "h"), ("b", "u", "p", "h")]
    assert comparable(report_on(world, *rows)) == [{"a": 0, "b": 1}, {"a": 2, "b": 3}]


def test_pages_show_the_pairs_that_the_verdict_rests_on(own: Path, browser: Any) -> None:
    said = f"rough</bdi> with <bdi>{LEFT}</bdi>, <bdi>fine</bdi> with <bdi>{RIGHT}"
    text = (own / "index.html").read_text(encoding="utf-8")
    assert said in text
    assert "Same prompt, same seed" in text
    assert "Furthest apart" in text
    assert f"<span><bdi>rough</bdi>, <bdi>{LEFT}</bdi></span>" in text
    assert said in (own / "compare.html").read_text(encoding="utf-8")
    assert f"with the setting {RIGHT} against {LEFT}" in (own / "scores.html").read_text(encoding="utf-8")
    with watch(browser) as tab:
        tab.open(own / "compare.html")
        assert tab.page.locator("#count").inner_text() == "10 prompts and seeds"
        assert tab.page.locator("#rows .name").all_inner_texts()[:2] == [f"rough, {LEFT}", f"fine, {RIGHT}"]
        assert tab.page.locator("#across option").all_inner_texts() == ["models"]
        tab.page.locator("#rows .tile").first.click()
        assert f"Details of rough, {LEFT}" in tab.page.locator("#viewer").inner_text()
        assert tab.said == []


def test_settings_of_each_its_own_are_a_choice_where_there_are_others(
    world: World, browser: Any, tmp_path: Path
) -> None:
    out = changed(
        world,
        tmp_path,
        "DELETE FROM images WHERE sampler <> 'euler' OR guidance <> 3",
        "UPDATE images SET model = 'slow' WHERE model = 'rough' AND steps = 25",
        "DELETE FROM scores WHERE key NOT IN (SELECT key FROM images)",
    )
    with watch(browser) as tab:
        tab.open(out / "compare.html")
        choices = ["euler-10-g3", "euler-25-g3", "of each its own"]
        assert tab.page.locator("#fixed option").all_inner_texts() == ["all settings", *choices]
        assert tab.page.locator("#count").inner_text().startswith("30 rows")
        for choice, names in zip(
            choices, (["rough", "fine"], ["slow", "fine"], ["rough, euler-10-g3", "slow, euler-25-g3"]), strict=True
        ):
            tab.page.locator("#fixed").select_option(label=choice)
            tab.until("document.documentElement.dataset.ready")
            tab.page.wait_for_timeout(50)
            assert sorted(tab.page.locator("#rows .name").all_inner_texts()[:2]) == sorted(names)
            assert tab.page.locator("#count").inner_text() == "10 prompts and seeds"


def test_difference_between_own_settings_is_one_of_all_images(world: World, tmp_path: Path) -> None:
    path = Path(shutil.copy(world.store, tmp_path / "three.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM differences WHERE len(json_keys(groups)) > 0")
        settings = f'{{"setting_a": "{RIGHT}", "setting_b": "{LEFT}"}}'
        connection.execute(
            f"INSERT INTO differences SELECT * REPLACE ('third' AS b, '{settings}' AS groups) FROM differences"
        )
    with Store.open(path, read_only=True) as store:
        run = store.query("SELECT * FROM runs")[0]
        empty = report_on(world, ("a", "s", "p", "g"))
        rows = difference_rows(Report(empty.config, empty.rows, empty.pictures, (), store, run))
    assert {(row["b"], row["is_overall"]) for row in rows} == {("rough", True), ("third", True)}
    assert {row["groups"] for row in rows} == {"", f"with the setting {RIGHT} against {LEFT}"}


def local_links(folder: Path) -> set[str]:
    """Return the files that links of a report name."""
    text = "".join(page.read_text(encoding="utf-8") for page in folder.glob("*.html"))
    return {address.partition("#")[0] for address in re.findall(r'href="([^":]+)"', text)} - {""}


def test_no_link_leads_to_a_page_that_was_left_out(world: World, tmp_path: Path) -> None:
    apart = "UPDATE images SET setting = model || setting"  # several settings each, none in common
    out = changed(world, tmp_path, apart)
    assert not (out / "compare.html").exists()
    assert "fine</bdi> \N{MINUS SIGN} <bdi>rough" in (out / "scores.html").read_text(encoding="utf-8")
    assert all((out / name).exists() for name in local_links(out))


def test_numbers_without_images_stand_without_links(world: World, tmp_path: Path) -> None:
    out = changed(world, tmp_path, "DELETE FROM images", "DELETE FROM scores", "DELETE FROM audits")
    assert not (out / "gallery.html").exists()
    assert "n 80" in (out / "index.html").read_text(encoding="utf-8")
    assert all((out / name).exists() for name in local_links(out))


def test_foreign_text_cannot_end_its_isolate() -> None:
    assert isolated(EVIL) == "\u2068\u202eevil \u202ename\u2069"
    assert isolated("a\u2066b") == "ab"
    assert sentence([{"metric": "m", "a": EVIL, "b": "x", "word": "better"}]) == (
        f"{isolated(EVIL)} is better than x by M."
    )


ORDER = """(selector) => [...document.querySelectorAll(selector)].flatMap((one) => {
    const found = [];
    const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent;
        const words = /\\b(better|worse|metrics?|pairs|Showing|Details|press|with|against)\\b|[0-9]+[.,][0-9]+/g;
        for (const match of text.matchAll(words)) {
            const box = (at) => {
                const range = document.createRange();
                range.setStart(walk.currentNode, match.index + at);
                range.setEnd(walk.currentNode, match.index + at + 1);
                return range.getBoundingClientRect();
            };
            const boxes = [...match[0]].map((_, at) => box(at)).filter((each) => each.width);
            const isTurned = (each, at) => at && each.top === boxes[at - 1].top && each.left < boxes[at - 1].left;
            if (boxes.some(isTurned)) found.push(text);
        }
    }
    return found;
})"""


def test_no_name_turns_the_words_and_numbers_beside_it(evil: Path, browser: Any) -> None:
    with watch(browser) as tab:
        for page in ("index.html", "scores.html", "distributions.html", "compare.html", "grid.html"):
            tab.open(evil / page)
            assert tab.run(ORDER, "main") == [], page
        tab.open(evil / "gallery.html", "#sel=3")
        tab.page.locator("#drawer[open] h2").wait_for()
        assert tab.run(ORDER, "#drawer") == []
        assert tab.page.locator("#drawer small bdi").count() >= 2
        tab.open(evil / "compare.html")
        tab.page.locator("#rows .tile").first.click()
        tab.page.locator("#viewer").get_by_role("button", name="Flip", exact=True).click()
        assert tab.run(ORDER, "#viewer") == []
        assert (tab.said, tab.foreign) == ([], [])


def test_turned_words_would_be_found(browser: Any) -> None:
    with watch(browser) as tab:
        tab.page.set_content("<main><p>\u202eevil 0.306 is better</p></main>")
        assert len(tab.run(ORDER, "main")) == 2


def test_groups_without_room_are_named(evil: Path) -> None:
    text = (evil / "distributions.html").read_text(encoding="utf-8")
    assert "And 2 more, not drawn: " in text
    block = re.search(r"And 2 more, not drawn: (.*)</p>", text)
    assert block
    assert block[1].count('href="gallery.html#f=model:') == 2


def columns_of(tab: Watched) -> list[str]:
    """Return the labels of the columns."""
    return list(
        dict.fromkeys(tab.page.locator("#rows .tile").evaluate_all("(all) => all.map((one) => one.dataset.label)"))
    )


def test_as_many_models_as_there_are_stand_beside_one_another(world: World, browser: Any, tmp_path: Path) -> None:
    out = changed(world, tmp_path, "UPDATE images SET model = model || '-' || setting, setting = 's'")
    with watch(browser) as tab:
        tab.open(out / "compare.html")
        models = tab.run("Diptych.rows.open().then((rows) => rows.models)")
        assert len(models) == 16
        assert columns_of(tab) == models
        tab.page.locator("#b").select_option(models[9])
        tab.page.locator("#score").select_option("match.clip_similarity")
        tab.until("!document.getElementById('tally').hidden")
        assert tab.page.locator("#tally").inner_text().startswith(f"{models[9]} against {models[0]} by CLIP similarity")


def test_a_verdict_of_one_kind_says_of_what_it_counts() -> None:
    rows = [{"metric": metric, "a": "x", "b": "y", "word": "not resolved"} for metric in ("m", "n")]
    assert sentence(rows) == "Against y, x is not told apart on 2 of 2 metrics."


TITLE_LINES = """(card) => {
    const range = document.createRange();
    range.selectNodeContents(document.createTreeWalker(card, NodeFilter.SHOW_TEXT).nextNode());
    return new Set([...range.getClientRects()].map((box) => box.top)).size;
}"""


def test_title_of_a_card_stands_on_one_line(built: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(built / "index.html")
        titles = tab.page.locator(".card h3").all()
        assert titles
        assert {title.evaluate(TITLE_LINES) for title in titles} == {1}


def test_tables_on_a_phone_show_value_and_interval_or_that_they_go_on(built: Path, browser: Any) -> None:
    with watch(browser, PHONE) as tab:
        tab.open(built / "scores.html")
        inside = """(all) => all.every((one) => one.getBoundingClientRect().right <= innerWidth)"""
        overall = tab.page.locator(".forest").first.locator("tbody td.figure, tbody td.nowrap")
        assert overall.count() >= 2
        assert overall.evaluate_all(inside)
        attachment = "(one) => getComputedStyle(one).backgroundAttachment"
        assert tab.page.locator(".scroll").first.evaluate(attachment) == "local, scroll"


def test_help_names_a_config_that_is_there() -> None:
    text = CliRunner().invoke(main, ["report", "--help"]).output
    root = Path(__file__).parents[2]
    named = re.findall(r"configs/\S+\.yaml", text)
    assert named
    assert all((root / name).is_file() for name in named)


def test_images_without_seeds_and_settings_are_not_said_to_have_some(imported: Path) -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in imported.glob("*.html")}
    assert "Same prompt, same sample" in pages["index.html"]
    assert "8 pairs of 4 prompts" in pages["index.html"]
    assert "</strong> settings" not in pages["index.html"]
    assert re.search(r"\d+ prompts and samples", pages["compare.html"])
    assert re.search(r">sample \d+<", pages["compare.html"])
    assert "<title>Models" in pages["grid.html"]
    assert "The same prompt and sample in every cell" in pages["grid.html"]
