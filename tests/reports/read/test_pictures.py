import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_world import World
from tiny_dataset import Row, make_dataset

from diptych.data import images
from diptych.errors import ConfigError, ShardError
from diptych.reports.build import build_report
from diptych.reports.config import Flagged
from diptych.reports.read.picture_job import Picture, Sizes, file_of
from diptych.reports.read.pictures import flags, make_pictures, remove_others
from diptych.reports.read.rows import ReportRows, RowsPart, join

SIZES = Sizes(64, 128)


def photo(width: int, height: int, seed: int = 1, **options: object) -> bytes:
    """Return a JPEG of two halves in strong colours."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (250, 20 + seed, 10)
    pixels[:, width // 2 :] = (10, 30, 240)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def rows_of(folder: Path, rows: list[Row], models: list[str | None] | None = None) -> ReportRows:
    dataset = make_dataset(folder, rows, rows_per_shard=3)
    count = len(rows)
    part = RowsPart(
        {
            "dataset": ["tiny"] * count,
            "key": [f"{number:06d}" for number in range(count)],
            "status": [row.status for row in rows],
            "sha256": [hashlib.sha256(row.data).hexdigest() if row.data else None for row in rows],
            "model": models or [None] * count,
            "shard": [shard.name for shard in dataset.shards for _ in range(shard.rows)],
            "shard_row": [row for shard in dataset.shards for row in range(shard.rows)],
        },
        total=count,
    )
    return join([part], {"tiny": folder})


def opened(out: Path, picture: Picture, folder: str = "thumbs") -> Image.Image:
    with Image.open(out / file_of(folder, picture.thumbnail)) as image:
        return image.convert("RGB")


def test_every_row_has_its_own_picture_or_the_reason(tmp_path: Path) -> None:
    rows = [
        Row(photo(300, 200)),
        Row(None, status="not_found"),
        Row(b"<html>"),
        Row(photo(40, 30)),
        Row(photo(200, 300)[:400]),
        Row(None),
    ]
    found = make_pictures(rows_of(tmp_path / "data", rows), [False] * 6, tmp_path, SIZES, progress="none")
    assert [picture.problem for picture in found] == ["", "not_found", "not_an_image", "", "truncated", "no_image"]
    assert opened(tmp_path, found[0]).size == (64, 43)
    assert opened(tmp_path, found[3]).size == (40, 30)  # never made larger
    red, blue = (np.asarray(opened(tmp_path, found[0]))[20, x].astype(int) for x in (5, 58))
    assert red[0] > 180 > 80 > red[2]
    assert blue[2] > 180 > 80 > blue[0]


def test_thumbnail_carries_no_metadata(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    found = make_pictures(
        rows_of(tmp_path / "data", [Row(photo(300, 200, exif=exif))]), [False], tmp_path, SIZES, progress="none"
    )
    data = (tmp_path / file_of("thumbs", found[0].thumbnail)).read_bytes()
    assert b"home" not in data
    assert b"EXIF" not in data


def test_generated_picture_has_a_larger_copy_where_it_is_larger(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "data", [Row(photo(300, 300)), Row(photo(50, 50))], ["m", "m"])
    found = make_pictures(rows, [False, False], tmp_path, SIZES, progress="none")
    assert [picture.has_preview for picture in found] == [True, False]
    assert opened(tmp_path, found[0], "previews").size == (128, 128)


def test_flagged_picture_is_blurred_on_disk_and_has_no_larger_copy(tmp_path: Path) -> None:
    checks = np.indices((96, 96)).sum(axis=0) // 12 % 2 * 255
    buffer = io.BytesIO()
    Image.fromarray(np.repeat(checks.astype(np.uint8)[..., None], 3, axis=2)).save(buffer, "PNG")
    rows = rows_of(tmp_path / "data", [Row(buffer.getvalue())], ["m"])
    plain = make_pictures(rows, [False], tmp_path, SIZES, progress="none")[0]
    blurred = make_pictures(rows, [True], tmp_path, SIZES, progress="none")[0]
    assert blurred.is_blurred
    assert not blurred.has_preview
    assert blurred.thumbnail != plain.thumbnail
    sharp, soft = (np.asarray(opened(tmp_path, each).convert("L"), float).std() for each in (plain, blurred))
    assert sharp > 80
    assert soft < 12  # nothing of the pattern is left


def test_rebuild_makes_nothing_again_and_other_sizes_make_all(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "data", [Row(photo(300, 200)), Row(photo(200, 200, 9))])
    first = make_pictures(rows, [False] * 2, tmp_path, SIZES, progress="none")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "thumbs").rglob("*.webp")}
    assert make_pictures(rows, [False] * 2, tmp_path, SIZES, progress="none") == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "thumbs").rglob("*.webp")} == times
    other = make_pictures(rows, [False] * 2, tmp_path, Sizes(32, 128), progress="none")
    assert {each.thumbnail for each in other}.isdisjoint(each.thumbnail for each in first)
    remove_others(tmp_path, other)
    assert {path.stem for path in (tmp_path / "thumbs").rglob("*.webp")} == {each.thumbnail for each in other}


def test_equal_pictures_share_a_file(tmp_path: Path) -> None:
    data = photo(100, 100)
    rows = rows_of(tmp_path / "data", [Row(data) for _ in range(6)])
    found = make_pictures(rows, [False] * 6, tmp_path, SIZES, progress="none")
    assert len({picture.thumbnail for picture in found}) == 1
    assert len(list((tmp_path / "thumbs").rglob("*"))) == 2  # its folder and itself


def scored(values: list[float]) -> ReportRows:
    count = len(values)
    part = RowsPart(
        {"dataset": ["a"] * (count - 1) + ["b"], "key": [str(i) for i in range(count)]},
        numbers={"safety.nsfw": np.asarray(values, np.float32)},
        total=count,
    )
    return join([part], {})


def test_flagged_are_those_above_the_threshold_and_those_never_judged() -> None:
    rows = scored([0.2, 0.5, 0.9, float("nan"), 0.9])
    assert flags(rows, Flagged(score="nsfw", above=0.5)) == [False, False, True, True, True]
    assert flags(rows, Flagged(score="nsfw", above=0.5, missing="show")) == [False, False, True, False, True]
    assert flags(rows, Flagged(score="nsfw", above=0.5, datasets=("a",))) == [False, False, True, True, False]
    assert flags(rows, None) == [False] * 5


def test_a_flag_without_a_label_means_the_score_of_each_label() -> None:
    rows = scored([0.2, 0.9, float("nan"), float("nan"), 0.1])
    others = {"b.nsfw (1a2b3c4d)": np.asarray([0.9, 0.1, 0.7, np.nan, np.nan], np.float32), "b.other": np.ones(5)}
    rows = replace(rows, numbers={**rows.numbers, **others})
    assert flags(rows, Flagged(score="nsfw", above=0.5)) == [True, True, True, True, False]
    assert flags(rows, Flagged(score="b.nsfw", above=0.5, missing="show")) == [True, False, True, False, False]
    assert flags(rows, Flagged(score="safety.nsfw", above=0.5, missing="show")) == [False, True, False, False, False]


def test_flagged_pictures_of_a_report_are_all_blurred(world: World, tmp_path: Path) -> None:
    flagged = {"score": "sharpness", "above": 500.0, "missing": "show"}
    build_report(world.config(store=None, flagged=flagged), tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "pictures are blurred on disk as flagged" in page


def test_unknown_flag_score_and_dataset_are_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"flagged.score: unknown score 'sharpnes'; did you mean 'image.sharpness'"):
        build_report(world.config(flagged={"score": "sharpnes", "above": 1}), tmp_path / "a")
    with pytest.raises(ConfigError, match=r"flagged.datasets: unknown dataset 'pair'; did you mean 'pairs'"):
        build_report(world.config(flagged={"score": "sharpness", "above": 1, "datasets": ["pair"]}), tmp_path / "b")


@pytest.mark.parametrize("hashes_are_known", [True, False])
def test_no_picture_of_a_damaged_shard_is_shown(hashes_are_known: bool, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "data", [Row(photo(90, 60, seed=number)) for number in range(3)])
    if not hashes_are_known:
        rows.columns["sha256"][:] = [None] * 3
    whole = make_pictures(rows, [False] * 3, tmp_path / "whole", SIZES, progress="none")
    shard = tmp_path / "data/data/00000.parquet"
    data, said = shard.read_bytes(), []
    flips = range(5, len(data), 61)
    for at in flips:
        shard.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        out = tmp_path / f"flipped-{at}"
        try:
            found = make_pictures(rows, [False] * 3, out, SIZES, progress="none")
        except ShardError as error:
            said.append(str(error))
        else:  # what no reader looks at, between the pictures
            names = [file_of("thumbs", picture.thumbnail) for picture in whole]
            assert found == whole
            assert [(out / name).read_bytes() for name in names] == [
                (tmp_path / "whole" / name).read_bytes() for name in names
            ]
    assert len(said) > 0.95 * len(flips)
    assert all(str(shard) in one and "diptych verify" in one and "delete" not in one for one in said)


def test_a_shard_that_is_gone_or_shortened_is_named(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "data", [Row(photo(90, 60), size=(90, 60))])
    shard = tmp_path / "data/data/00000.parquet"
    data = shard.read_bytes()
    shard.write_bytes(data[:-100])
    with pytest.raises(ShardError, match=r"00000\.parquet: the shard is damaged: it has"):
        make_pictures(rows, [False], tmp_path, SIZES, progress="none")
    shard.unlink()
    with pytest.raises(ShardError, match=r"00000\.parquet: the shard is missing"):
        make_pictures(rows, [False], tmp_path, SIZES, progress="none")


def test_a_picture_is_shown_that_a_higher_limit_on_pixels_has_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images.decode, "__kwdefaults__", {"max_pixels": 100})
    rows = rows_of(tmp_path / "tiny", [Row(photo(90, 60), size=(90, 60))])
    (shown,) = make_pictures(rows, [False], tmp_path / "report", SIZES, progress="none")
    assert shown.problem == ""
