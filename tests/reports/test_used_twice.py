"""A pool that the evaluation has as its reference, too, is one set of images: counted once, with all that both know."""

import re
import shutil
from pathlib import Path

import pytest
from evaluate_configs import make_config, run
from report_gallery import Gallery, counts
from report_world import World
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig


@pytest.fixture
def out(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(monkeypatch)
    pool = Path(shutil.copytree(world.pool, tmp_path / "pool"))
    make_generated(tmp_path / "generated", made_grid(prompts=6))
    config = make_config(tmp_path, encoders={"p": {"kind": "projection", "options": {"dim": 4}}})
    config["datasets"]["real"] = {"path": str(pool), "role": "reference"}
    config["scores"] = {"n": {"score": "told_number"}, "text": {"score": "caption_stats"}}
    config["means"] = [{"score": "caption_words", "by": []}]
    config["distances"] = [{"metric": "kernel_distance", "encoder": "p", "reference": "real", "by": []}]
    run(config)
    report = {"job": "report", "store": tmp_path / "store.duckdb", "pools": [pool]}
    built = build_report(ReportConfig.model_validate(report), tmp_path / "out")
    assert built.images == 24 + 44
    return tmp_path / "out"


def test_its_images_are_there_once_with_decisions_and_scores_of_both(out: Path) -> None:
    gallery = Gallery(out)
    assert gallery.facets["dataset"]["values"] == ["generated", "real"]
    assert gallery.count("gallery.html#f=dataset:real") == 44
    assert 0 < gallery.count("gallery.html#f=dataset:real&f=decision:kept") < 44
    assert gallery.count("gallery.html#f=dataset:real&f=text.caption_words:..") > 40
    assert gallery.count("gallery.html#f=dataset:generated&f=text.caption_words:..") == 24
    assert gallery.count("gallery.html#f=dataset:real&f=image.sharpness:..") > 30


def test_every_count_opens_as_many_and_facts_name_it_once(out: Path) -> None:
    found = list(counts(out))
    assert len(found) > 50
    assert [(page, address, said) for page, address, said, shown in found if said != shown] == []
    facts = re.findall(r"<strong>([\d,]+)</strong> ([^<]+)<", (out / "index.html").read_text(encoding="utf-8"))
    assert [n for n, what in facts if "real" in what] == ["44"]
    assert "reference, pool" in (out / "provenance.html").read_text(encoding="utf-8")
    headings = re.findall(r"<bdi>(real[^<]*)</bdi>", (out / "distributions.html").read_text(encoding="utf-8"))
    assert "real" not in headings, "kept and lost, and not all of them once more"
