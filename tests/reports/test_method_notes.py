"""What the page of scores says of how a number was made, from a store that `evaluate run` wrote."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import own_judges
import pytest
from drawn import picture
from evaluate_configs import make_config, read, run
from tiny_clip import SQUASHED, save_clip
from tiny_dataset import Row, make_dataset
from tiny_generated import made_grid, make_generated

from diptych.encoders.inception import InceptionEncoder
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.pages.scores import METHOD, method_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An evaluation with every kind of number, and a report on it."""
    own_judges.install(monkeypatch)
    own_judges.FOUND[32] = [own_judges.box("boat", 0.8), own_judges.box("cook", 0.9, attribute="orange")]
    asked = {"include": [{"class": "boat", "count": 1}]}
    rows = [dataclasses.replace(row, checks=asked) for row in made_grid(prompts=4)]
    make_generated(tmp_path / "generated", rows)
    make_dataset(tmp_path / "real", [Row(picture(500 + seed), f"real {seed}") for seed in range(14)])
    clip = {"architecture": str(save_clip(tmp_path / "clip", preprocess=SQUASHED)), "device": "cpu"}
    judge = {"kind": "own_boxes"}
    config = make_config(
        tmp_path,
        encoders={"tiny": {"kind": "open_clip", "options": clip}, "p": {"kind": "projection", "options": {"dim": 4}}},
        judges={"eye": judge, "tongue": {"kind": "own_answers"}},
        scores={
            "match": {"score": "clip_similarity", "encoder": "tiny"},
            "objects": {"score": "object_accuracy", "judge": "eye"},
            "hats": {"score": "perceived_attribute", "judge": "eye", "options": {"trait": "attribute"}},
            "asked": {
                "score": "answer",
                "judge": "tongue",
                "options": {"question": "Is it nice?", "choices": ["yes", "no"]},
            },
        },
        means=[
            {"score": name, "by": ["model"]} for name in ("clip_similarity", "object_correct", "answer_probability")
        ],
        distances=[
            {"metric": metric, "encoder": encoder, "reference": "real", "by": ["model"]}
            for metric in ("frechet_distance", "kernel_distance", "precision_recall")
            for encoder in ("tiny", "p")
        ]
        + [{"metric": "subset_kernel_distance", "encoder": "p", "reference": "real", "by": []}]
        + [{"metric": metric, "encoder": "p", "by": []} for metric in ("inception_score", "prompt_vendi")],
    )
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run(config)
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    return tmp_path


def names_in(value: Any) -> Iterator[str]:
    """Yield the names of all facts of an identity that are texts or numbers."""
    for name, inner in value.items() if isinstance(value, Mapping) else ():
        if isinstance(inner, str | int | float):
            yield name
        yield from names_in(inner)


def test_notes_read_no_fact_that_nobody_writes(folder: Path) -> None:
    identities = [row["identity"] for row in read(folder, "SELECT identity FROM identities")]
    (folder / "weights").write_bytes(b"x")
    identities.append(InceptionEncoder(folder / "weights", "legacy", None, "cpu").identity)
    assert set(METHOD) - {name for identity in identities for name in names_in(identity)} == set()


def test_notes_tell_how_each_number_was_made(folder: Path) -> None:
    page = re.sub(r"<[^>]+>", "", "".join(each.read_text() for each in sorted((folder / "out").glob("scores*.html"))))
    identities = {row["identity_id"]: row["identity"] for row in read(folder, "SELECT * FROM identities")}
    weights = next(
        each["score"]["encoder"]["weights_sha256"] for each in identities.values() if each.get("metric") == "clip_score"
    )
    for part in (
        "convention 100 x max(cosine, 0), mean over images, column clip_similarity, encoder open_clip, architecture",
        f"architecture from a folder, weights {weights[:8]}, interpolation bilinear",
        "convention mean over images per category, then over all categories, rule geneval, column object_correct",
        "judge own_boxes",
        "judge own_answers, question Is it nice?",
        "kernel (x.y / D + 1)^3",
        "k-nearest-neighbour manifolds, k = ",
        "encoder projection",
        "subsets 100 of 14 images, seed 2020",
        "kernel cosine, order 0.5, images per prompt 4",
    ):
        assert part in page, part
    for row in read(folder, "SELECT DISTINCT identity_id FROM results"):
        assert method_of(identities[row["identity_id"]]), identities[row["identity_id"]]
        assert method_of(identities[row["identity_id"]]) in page


def test_the_outer_of_two_facts_of_one_name_is_said() -> None:
    assert method_of({"threshold": 0.3, "judge": {"judge": "eye", "threshold": 0.1}}) == "judge eye, threshold 0.3"
