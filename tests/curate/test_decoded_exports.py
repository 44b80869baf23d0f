"""What ``curate run`` exports has been decoded, whoever looked at it."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from drawn import picture
from image_bytes import with_chunks
from PIL import Image

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard


def without_tables(data: bytes) -> bytes:
    """Take the quantisation tables out of a JPEG: its headers are sound, and nothing of its body can be read."""
    while (start := data.find(b"\xff\xdb")) >= 0:
        data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    return data


def progressive(scans: int) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture(1))).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + b"\xff\xd9"


def noise(size: int = 96) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def draw_sources(folder: Path) -> None:
    folder.mkdir()
    files = {
        "a-whole.jpg": picture(0),
        "b-whole.png": picture(1, kind="PNG"),
        "c-no-tables.jpg": without_tables(picture(2)),
        "d-scans.jpg": progressive(10_000),
        "e-cut.jpg": noise()[:4000] + b"\xff\xd9",
        "f-text.jpg": b"<html>",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


def call(folder: Path, step: str, *options: str, **changes: Any) -> str:
    config = {"job": "curate", "source": {"kind": "folder", "path": str(folder / "in"), "captions": "file_name"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config | changes))
    arguments = ["--progress", "none", "curate", step, str(folder / "config.yaml"), "--out", str(folder / "out")]
    result = CliRunner().invoke(main, [*arguments, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def run(folder: Path, **changes: Any) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(call(folder, "run", "--json", **changes))
    return summary


def exported(folder: Path) -> dict[str, dict[str, Any]]:
    rows = [row for file in open_dataset(folder / "out/selected").files for row in read_shard(file).to_pylist()]
    for row in rows:
        image = Image.open(io.BytesIO(row["image"]["bytes"]))
        image.load()
        image.getexif()
    return {row["caption"]: row for row in rows}


@pytest.mark.parametrize("scores", [{}, {"words": {"score": "caption_stats"}}, {"stats": {"score": "image_stats"}}])
def test_what_does_not_decode_is_not_exported_and_counted(tmp_path: Path, scores: dict[str, Any]) -> None:
    draw_sources(tmp_path / "in")
    summary = run(tmp_path, scores=scores)
    assert summary["ingest"]["status"] == {"ok": 5, "not_an_image": 1}, "a JPEG with sound headers is ok"
    (readable,) = summary["select"]["funnel"]
    assert (readable["rule"], readable["rows_in"], readable["rows_out"]) == ("readable", 6, 3)
    rows = exported(tmp_path)
    assert {name: row["decoded__is_truncated"] for name, row in rows.items()} == {
        "a whole": False,
        "b whole": False,
        "e cut": True,
    }


def test_an_export_whose_pictures_nobody_looked_at_decodes_them(tmp_path: Path) -> None:
    draw_sources(tmp_path / "in")
    call(tmp_path, "ingest")
    assert "export  done  3 rows" in call(tmp_path, "export")
    assert list(exported(tmp_path)) == ["a whole", "b whole", "e cut"]


def test_a_cut_picture_is_left_out_by_a_rule(tmp_path: Path) -> None:
    draw_sources(tmp_path / "in")
    run(tmp_path, select=[{"name": "whole", "where": "NOT is_truncated"}])
    assert list(exported(tmp_path)) == ["a whole", "b whole"]


def test_what_plain_pillow_does_not_open_is_not_exported_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/plain.png").write_bytes(picture(0, kind="PNG"))
    (tmp_path / "in/odd.png").write_bytes(with_chunks(picture(1, kind="PNG"), eXIf=b"garbage"))
    assert run(tmp_path)["export"]["rows"] == 1
    assert list(exported(tmp_path)) == ["plain"]
    (scored,) = open_dataset(tmp_path / "out/pool").column_sets("scores")
    found = [row for file in scored.files for row in read_shard(file).to_pylist()]
    assert {row["reason"]: row["is_truncated"] for row in found} == {None: False, "not_plain": None}


def test_heic_that_is_left_out_is_said_and_exported_to_those_who_ask_for_it(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(picture(0))
    buffer = io.BytesIO()
    heif.from_pillow(Image.open(io.BytesIO(picture(1, (64, 64))))).save(buffer)
    (tmp_path / "in/b.heic").write_bytes(buffer.getvalue())
    said = call(tmp_path, "run")
    assert "select  done  1 of 2 rows kept (heic, left out: 1; export.heic: true keeps them)" in said
    assert list(exported(tmp_path)) == ["a"], "Pillow alone reads all that there is"
    funnel = json.loads(call(tmp_path, "select", "--json"))
    assert [(step["rule"], step["rows_out"]) for step in funnel] == [("readable", 2), ("heic", 1)]
    (tmp_path / "in/a.jpg").unlink()
    refused = CliRunner().invoke(main, ["curate", "run", str(tmp_path / "config.yaml"), "--out", str(tmp_path / "o2")])
    assert "none of 1 row is kept (readable leaves 1, heic leaves 0): nothing to export (heic, left out: 1; " in (
        refused.output
    )
    (tmp_path / "in/a.jpg").write_bytes(picture(0))
    summary = run(tmp_path, export={"heic": True})
    assert (summary["score"]["is_new"], summary["select"]["is_new"], summary["export"]["rows"]) == (False, True, 2)


def test_the_label_of_the_built_in_score_is_taken(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    config = {"job": "curate", "source": {"kind": "folder", "path": str(tmp_path / "in")}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**config, "scores": {"decoded": {"score": "caption_stats"}}}))
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "config.yaml")])
    assert result.exit_code == 1
    assert "scores.decoded: the label is that of the built-in score" in result.output
