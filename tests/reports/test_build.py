import base64
import hashlib
import json
import re
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from report_world import MODELS, World

from diptych.cli import main
from diptych.data.claims import is_report
from diptych.errors import ConfigError, DataError, ShardError, StoreError
from diptych.lookup import import_attribute
from diptych.reports import pages
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.rendering import POLICY
from diptych.storage.location import Location
from diptych.store.store import Run, Store

HTML = {
    "index.html",
    "audit.html",
    "compare.html",
    "distributions.html",
    "funnel.html",
    "gallery.html",
    "grid.html",
    "provenance.html",
    "scores.html",
}


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpack(path: Path) -> bytes:
    """Read a data file as the browser does."""
    match = re.fullmatch(rb'__R\("([a-z0-9-]+)","([A-Za-z0-9+/=]*)"\);\n', path.read_bytes())
    assert match, path
    assert match[1].decode() == path.stem
    return zlib.decompress(base64.b64decode(match[2]))


def load(path: Path) -> Any:
    return json.loads(unpack(path))


def test_every_page_is_there(built: Path) -> None:
    assert {path.name for path in built.glob("*.html")} >= HTML
    assert json.loads((built / "report.json").read_text(encoding="utf-8"))["pages"][0] == "index.html"


@pytest.mark.parametrize("name", pages.PAGES)
def test_page_of_the_table_resolves_and_has_a_template(name: str) -> None:
    assert callable(import_attribute(pages.PAGES[name].target))
    folder = Path(import_attribute("diptych.reports.rendering:STATIC")).parent
    assert (folder / "templates" / f"{name}.html").is_file()
    assert all((folder / "static" / script).is_file() for script in pages.PAGES[name].scripts)


def test_same_inputs_give_the_same_bytes(world: World, built: Path, tmp_path: Path) -> None:
    build_report(world.config(), tmp_path / "again")
    assert digest(tmp_path / "again") == digest(built)


def test_rebuild_over_a_damaged_report_mends_it(world: World, built: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(built, out)
    (out / "index.html").write_text("half", encoding="utf-8")
    (out / "old.html").write_text("of an earlier build", encoding="utf-8")
    (out / "data" / "score-99.js").write_text("old", encoding="utf-8")
    thumbnail = next((out / "thumbs").rglob("*.webp"))
    thumbnail.unlink()
    (out / "thumbs" / "ab").mkdir(exist_ok=True)
    (out / "thumbs" / "ab" / "ab00000000000000.webp").write_bytes(b"old")
    build_report(world.config(), out)
    assert digest(out) == digest(built)


def test_folder_that_holds_something_else_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds files that are no report"):
        build_report(world.config(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(ConfigError, match="a file, not a folder"):
        build_report(world.config(), tmp_path / "thesis.txt")


def test_report_is_known_as_one_and_none_is_built_inside_it_or_inside_a_dataset(
    world: World, built: Path, tmp_path: Path
) -> None:
    assert is_report(Location.at(built))
    (dataset, *_) = world.config().pools
    for place in (built / "sub", dataset / "sub"):
        with pytest.raises(ShardError, match=r"sub: lies inside the (report|dataset) "):
            build_report(world.config(), place)
        assert not place.exists()


def test_rows_in_the_browser_are_those_of_store_and_pool(world: World, built: Path) -> None:
    index = load(built / "data" / "rows.js")
    with Store.open(world.store, read_only=True) as store:
        images = store.query("SELECT count(*) AS n FROM images")[0]["n"]
        scores = store.query("SELECT key, value FROM scores WHERE score = 'match.clip_similarity'")
    assert index["n"] == images == 160 + 44  # the reference is the pool: 40 rows and the copies of four
    details = [
        row for number in range((index["n"] + 249) // 250) for row in load(built / "data" / f"details-{number}.js")
    ]
    score = next(each for each in index["scores"] if each["name"] == "match.clip_similarity")
    assert not score["is_single"], "the store has them in double precision"
    values = np.frombuffer(unpack(built / "data" / f"{score['file']}.js"), "<f8")
    shown = {row["key"]: value for row, value in zip(details, values.tolist(), strict=True)}
    for row in scores:
        expected = float("nan") if row["value"] is None else row["value"]
        assert shown[row["key"]] == pytest.approx(expected, nan_ok=True)


def test_captions_and_details_are_those_of_the_rows(built: Path) -> None:
    index = load(built / "data" / "rows.js")
    texts = load(built / "data" / "captions-0.js")
    assert len(texts) == index["captions"]["n"]
    first = load(built / "data" / "details-0.js")[0]
    assert first["seed"] == str(2**61)  # more digits than a number in a browser has
    thumbs = unpack(built / "data" / "thumbs.js")
    assert len(thumbs) == 8 * index["n"]
    name = thumbs[:8].hex()
    assert (built / "thumbs" / name[:2] / f"{name}.webp").is_file()


def test_without_a_store_there_are_the_pages_of_a_pool_only(world: World, tmp_path: Path) -> None:
    built = build_report(world.config(store=None), tmp_path / "out")
    names = {name.removesuffix(".html").split("-")[0] for name in built.pages}
    assert names == {"index", "funnel", "distributions", "gallery", "provenance"}


def test_without_a_pool_there_is_no_funnel(world: World, tmp_path: Path) -> None:
    built = build_report(world.config(pools=()), tmp_path / "out")
    assert {re.sub(r"-\d+", "", page) for page in built.pages} == HTML - {"funnel.html"}


def test_page_has_the_policy_before_anything_is_loaded(built: Path) -> None:
    assert "script-src 'self'" in POLICY
    for page in built.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY.replace(chr(39), "&#39;")}">'
        assert policy in text
        assert text.index(policy) < min(text.index("<link"), text.index("<script"))
        assert not re.search(r"\son\w+\s*=|style=|<script>|<style", text), page.name


def test_sample_is_said_on_the_pages(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    built = build_report(world.config(max_images=60), out)
    assert built.images < 204
    assert f"{built.images} of 204 images are shown" in (out / "index.html").read_text(encoding="utf-8")


def test_dataset_that_changed_or_is_gone_is_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"changed since it was evaluated.*diptych evaluate run"):
        build_report(world.config(datasets={"generated": world.pool}), tmp_path / "a")
    with pytest.raises(DataError, match=r"the dataset 'generated' is gone.*datasets: generated"):
        build_report(world.config(datasets={"generated": tmp_path / "nowhere"}), tmp_path / "b")
    with pytest.raises(ConfigError, match="unknown dataset 'generatd'; did you mean 'generated'"):
        build_report(world.config(datasets={"generatd": world.pool}), tmp_path / "c")


def test_moved_dataset_is_found_where_the_config_says(world: World, built: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(world.generated.path, moved)
    build_report(world.config(datasets={"generated": moved}), tmp_path / "out")
    assert digest(tmp_path / "out")["scores.html"] == digest(built)["scores.html"]


def test_run_has_to_be_named_where_there_are_several(world: World, tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    shutil.copy(world.store, path)
    with Store.open(path) as store, store.replace_run(Run("other", "second", "0", {}, {})):
        pass
    with pytest.raises(ConfigError, match=r"holds 2 runs; name one with run: second, two-models"):
        build_report(world.config(store=path), tmp_path / "a")
    with pytest.raises(ConfigError, match="unknown run 'two-model'; did you mean 'two-models'"):
        build_report(world.config(store=path, run="two-model"), tmp_path / "b")
    assert build_report(world.config(store=path, run="two-models"), tmp_path / "c").images == 204
    with Store.open(path, read_only=True) as store:
        (run,) = store.query("SELECT run_id FROM runs WHERE name = 'two-models'")
    assert build_report(world.config(store=path, run=run["run_id"]), tmp_path / "d").images == 204


def test_store_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such store"):
        build_report(world.config(store=tmp_path / "none.duckdb"), tmp_path / "out")


def test_config_needs_something_to_report_on() -> None:
    with pytest.raises(ValueError, match="store: give it, `pools` or both"):
        ReportConfig.model_validate({"job": "report"})


def test_command_builds_and_says_where(world: World, tmp_path: Path) -> None:
    config = tmp_path / "report.yaml"
    config.write_text(f"job: report\ntitle: Mine\nstore: {world.store}\n", encoding="utf-8")
    arguments = ["--progress", "none", "report", "build", str(config), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [*arguments, "--json", "--set", "title=Ours"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["images"], facts["pictures_kept"]) == (204, 0)
    assert "<title>Overview · Ours</title>" in Path(facts["report"]).read_text(encoding="utf-8")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert re.search(r"^20\d of 204 pictures were there already\nOpen ", result.stdout, re.MULTILINE)
    assert f"Open {tmp_path / 'out' / 'index.html'}" in result.stdout


def test_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    config = tmp_path / "report.yaml"
    config.write_text("job: report\nstore: none.duckdb\ntitel: x\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["report", "build", str(config), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert f"{config}:3:1" in result.stderr
    assert "title" in result.stderr


def test_models_keep_the_order_of_the_data(built: Path) -> None:
    assert load(built / "data" / "rows.js")["models"] == list(MODELS)
