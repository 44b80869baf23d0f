"""A flagged picture carries a word that says so, and an alternative text, wherever it stands."""

import re
from pathlib import Path

import pytest
from report_browser import Watched
from report_world import World

from diptych.reports.build import build_report

WORD = "blurred as flagged"
# Of all pictures on the page: is its file a blurred one, does its alternative text (or that of its button) say so, and
# does a visible word beside it.
LOOK = """(blurred) => [...document.images].map((one) => [one, one.getAttribute("src").split("/")])
    .filter(([, [folder]]) => folder === "thumbs" || folder === "previews").map(([one, parts]) => [
        blurred.includes(parts.at(-1)),
        (one.closest("button[aria-label]")?.getAttribute("aria-label") ?? one.alt).includes("blurred"),
        [...one.parentElement.querySelectorAll(".flag")].some((word) => word.checkVisibility()),
    ])"""


@pytest.fixture(scope="module")
def report(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("blurred") / "out"
    flagged = {"score": "clip_similarity", "above": 0.27, "missing": "blur"}
    build_report(world.config(flagged=flagged), out)
    return out


def blurred_files(report: Path, tab: Watched) -> list[str]:
    """Return the names of the files that are blurred, as the data of the report have them."""
    tab.open(report / "gallery.html")
    script = """Diptych.rows.open().then((rows) => [...Array(rows.n).keys()].filter((row) => rows.isBlurred(row))
        .map((row) => rows.thumb(row).split("/").at(-1)))"""
    found: list[str] = tab.run(script)
    assert 20 < len(found) < 200
    return found


STATES = [
    ("index.html", "", ""),
    ("gallery.html", "#f=picture:blurred", ""),
    ("gallery.html", "#f=picture:blurred&v=4", ""),
    ("gallery.html", "#f=picture:blurred&f=model:fine&sel=ROW", "#drawer .pairs"),
    ("compare.html", "", ""),
    ("compare.html", "#s=match.clip_similarity&o=more&sel=ROW", "#viewer[open]"),
    ("funnel.html", "", ""),
    ("grid.html", "", ""),
]


@pytest.mark.parametrize(("page", "state", "wait"), STATES)
def test_every_blurred_picture_says_so_and_no_other_does(
    report: Path, tab: Watched, page: str, state: str, wait: str
) -> None:
    files = blurred_files(report, tab)
    if "ROW" in state:
        found = "[...Array(rows.n).keys()].find((row) => rows.isBlurred(row) && rows.pairs[row] >= 0)"
        state = state.replace("ROW", str(tab.run(f"Diptych.rows.open().then((rows) => {found})")))
    tab.open(report / page, state)
    if wait:
        tab.page.locator(wait).first.wait_for()
    if page == "funnel.html":  # the pictures next to a moved line, too
        slider = tab.page.locator(".threshold[data-column='image.sharpness'] input[type=range]")
        slider.evaluate("(one) => { one.value = 300; one.dispatchEvent(new Event('input')); }")
        tab.page.locator("pre:visible").first.wait_for()
    if page == "grid.html":
        tab.page.locator("#prompt").select_option(index=1)
    tab.page.wait_for_timeout(150)
    looks = tab.run(LOOK, files)
    assert looks
    assert [each for each in looks if len(set(each)) > 1] == []
    assert any(is_blurred for is_blurred, *_ in looks) == (page != "index.html" or bool(tab.count(".flag")))


def test_without_scripts_it_says_so_too(report: Path) -> None:
    for page in ("gallery.html", "compare.html", "funnel.html", "grid.html"):
        text = (report / page).read_text(encoding="utf-8")
        for figure in re.findall(r'<figure class="shot.*?</figure>', text, re.DOTALL):
            assert ("is-blurred" in figure) == (WORD in figure) == ('alt="Flagged, blurred' in figure)
    assert WORD in (report / "gallery.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("way", ["slider", "difference"])
def test_pictures_on_one_another_have_their_words_outside_what_is_mixed_or_cut(
    report: Path, tab: Watched, way: str
) -> None:
    pairs = """Diptych.rows.open().then((rows) => [...Array(rows.n).keys()].filter((row) => rows.isBlurred(row)
        && rows.pairs[row] >= 0 && rows.thumb(row)).map((row) => [row, rows.word("model", row),
        [...Array(rows.n).keys()].filter((other) => other !== row && rows.pairs[other] === rows.pairs[row]
        && rows.word("setting", other) === rows.word("setting", row)).map((other) => rows.isBlurred(other))[0]]))"""
    tab.open(report / "compare.html")
    found = tab.run(pairs)
    both = next(row for row, _, is_other in found if is_other)
    alone, model = next((row, model) for row, model, is_other in found if is_other is False)
    for row, words in (
        (both, ["rough: blurred as flagged", "fine: blurred as flagged"]),
        (alone, [f"{model}: {WORD}"]),
    ):
        tab.open(report / "compare.html", f"#sel={row}&v={way}")
        tab.page.locator("#viewer[open] .stage").wait_for()
        flags = tab.page.locator("#viewer .flag:visible")
        assert sorted(flags.all_inner_texts()) == sorted(words)
        for flag in flags.all():
            assert flag.evaluate("(one) => one.parentElement.classList.contains('stage')")


def test_flip_shows_the_word_with_the_picture_that_it_is_about(report: Path, tab: Watched) -> None:
    tab.open(report / "compare.html")
    script = """Diptych.rows.open().then((rows) => [...Array(rows.n).keys()].filter((row) => rows.isBlurred(row)
        && rows.thumb(row) && rows.word("model", row) === "rough").find((row) => [...Array(rows.n).keys()].some(
        (other) => rows.pairs[other] === rows.pairs[row] && rows.word("setting", other) === rows.word("setting", row)
        && rows.word("model", other) === "fine" && rows.thumb(other) && !rows.isBlurred(other))))"""
    tab.open(report / "compare.html", f"#sel={tab.run(script)}&v=flip")
    button = tab.page.locator("#viewer[open] [data-field=flipped]")
    for name, blurred in (("rough", 1), ("fine", 0), ("rough", 1)):
        assert button.inner_text().startswith(f"Showing {name}")
        assert tab.page.locator("#viewer .stage .flag:visible").count() == blurred
        assert tab.page.locator("#viewer .stage img:visible").count() == 1
        button.click()
