"""Copies that a hash alone misses, or sees where there are none, through the ordinary command."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import picture
from PIL import Image, ImageOps

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard

VARIANTS = ["mirrored", "inner_97", "inner_94", "inner_91"]


def saved(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write_config(folder: Path, **dedup: Any) -> Path:
    """Write pictures, among them copies of the largest one, and a config that looks for them."""
    (folder / "in").mkdir()
    original = Image.open(io.BytesIO(picture(3))).convert("RGB").resize((240, 160))
    files = {
        "0-original.png": saved(original),
        "1-mirrored.png": saved(ImageOps.mirror(original).resize((120, 80))),
        "2-cropped.png": saved(original.crop((8, 5, 232, 155)).resize((112, 75))),
        "3-negative.png": saved(ImageOps.invert(original).resize((120, 80))),
        "4-other.png": picture(4),
    }
    for name, data in files.items():
        (folder / "in" / name).write_bytes(data)
    config = {
        "job": "curate",
        "source": {"kind": "folder", "path": str(folder / "in"), "captions": "none"},
        "encoders": {"small": {"kind": "projection"}},
        "scores": {"hashes": {"score": "hashes", "options": {"variants": True}}},
        "dedup": {"perceptual": "hashes.phash_imagehash", **dedup},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def run(config: Path, *options: str) -> Result:
    return CliRunner().invoke(
        main, ["--progress", "none", "curate", "run", str(config), "--out", str(config.parent / "out"), *options]
    )


def removed(config: Path) -> list[int]:
    """Return the rows that dedup would drop; the first is the original."""
    decisions = open_dataset(config.parent / "out" / "pool").column_set("decisions", "dedup")
    assert decisions is not None
    rows = [row for file in decisions.files for row in read_shard(file).to_pylist()]
    assert {row["duplicate_of"] for row in rows} <= {None, rows[0]["key"]}
    return [number for number, row in enumerate(rows) if not row["keep"]]


def test_mirrored_and_cropped_copies_are_found_by_the_variants(tmp_path: Path) -> None:
    variants = [f"hashes.phash_imagehash_{name}" for name in VARIANTS]
    config = write_config(tmp_path, variants=variants, radius=4)
    result = run(config)
    assert result.exit_code == 0, result.output
    assert removed(config) == [1, 2]


def test_confirmation_needs_no_score_of_its_own_and_keeps_what_only_a_hash_takes_for_a_copy(tmp_path: Path) -> None:
    config = write_config(tmp_path, radius=16, perceptual="hashes.phash_imagehash & 0")  # all hashes equal
    assert run(config).exit_code == 0
    assert removed(config) == [1, 2, 3, 4]
    confirmed = ("--set", "dedup.confirm={encoder: small, cosine: 0.9}")
    result = run(config, *confirmed)
    assert result.exit_code == 0, result.output
    assert 3 not in removed(config)
    assert 2 in removed(config)
    (vectors,) = open_dataset(tmp_path / "out" / "pool").column_sets("embeddings")
    assert vectors.name.startswith("projection-")
    again = run(config, *confirmed, "--set", "dedup.confirm.cosine=0.9")
    assert "Nothing to do" in again.output


def test_pictures_of_the_same_content_go_by_their_vectors_with_and_without_a_hash(tmp_path: Path) -> None:
    config = write_config(tmp_path, semantic={"encoder": "small", "cosine": 0.9})
    result = run(config)
    assert result.exit_code == 0, result.output
    assert "0 exact, 0 near and 1 semantic duplicates" in result.output
    assert removed(config) == [2]  # the cropped one; mirrored it is another to this encoder
    decisions = open_dataset(tmp_path / "out" / "pool").column_set("decisions", "dedup")
    assert decisions is not None
    assert decisions.manifest["identity"]["semantic_vectors"]["encoder"] == "projection"
    assert "Nothing to do" in run(config).output
    loose = run(config, "--set", "dedup.semantic.cosine=0.01", "--set", "dedup.semantic.clusters=2")
    assert "semantic duplicates within 2 clusters (" in loose.output


@pytest.mark.parametrize("keep", ["preferred", "farthest", "nearest"])
def test_the_row_that_stays_by_dedup_is_the_one_that_is_exported(keep: str, tmp_path: Path) -> None:
    config = write_config(tmp_path, semantic={"encoder": "small", "cosine": 0.01, "keep": keep})
    result = run(config)
    assert result.exit_code == 0, result.output
    decisions = open_dataset(tmp_path / "out" / "pool").column_set("decisions", "dedup")
    assert decisions is not None
    rows = [row for file in decisions.files for row in read_shard(file).to_pylist()]
    exported = [
        row["key"] for file in open_dataset(tmp_path / "out" / "selected").files for row in read_shard(file).to_pylist()
    ]
    assert {row["key"] for row in rows if row["keep"]} == set(exported)
    assert len(exported) < len(rows)


@pytest.mark.parametrize(
    ("dedup", "told"),
    [
        ({"semantic": {"encoder": "smal", "cosine": 0.9}}, "unknown encoder 'smal'; did you mean 'small'"),
        ({"semantic": {"encoder": "small", "cosine": 0}}, "dedup.semantic.cosine: has to be more than 0, got 0"),
        ({"confirm": {"encoder": "smal", "cosine": 0.9}}, "unknown encoder 'smal'; did you mean 'small'"),
        ({"confirm": {"encoder": "small", "cosine": 1.5}}, "dedup.confirm.cosine: has to be at most 1, got 1.5"),
        (
            {"confirm": {"encoder": "small", "cosine": 0.9, "cosin": 0.5}},
            "unknown key 'dedup.confirm.cosin'; did you mean 'cosine'",
        ),
        (
            {"variants": ["hashes.phash_imagehash_mirored"]},
            "dedup.variants.0: unknown column 'hashes.phash_imagehash_mirored'; did you",
        ),
    ],
)
def test_mistake_is_one_line_before_anything_is_read(dedup: dict[str, Any], told: str, tmp_path: Path) -> None:
    config = write_config(tmp_path, **dedup)
    result = run(config)
    assert result.exit_code == 1
    assert told in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_dedup_before_score_says_what_is_missing(tmp_path: Path) -> None:
    config = write_config(tmp_path, confirm={"encoder": "small", "cosine": 0.9})
    out = ["--out", str(tmp_path / "out")]
    without = tmp_path / "without.yaml"
    settings = yaml.safe_load(config.read_text())
    del settings["dedup"]
    without.write_text(yaml.safe_dump(settings))
    for step in ("ingest", "score"):  # scores without vectors, as an earlier config left them
        assert CliRunner().invoke(main, ["--progress", "none", "curate", step, str(without), *out]).exit_code == 0
    result = CliRunner().invoke(main, ["--progress", "none", "curate", "dedup", str(config), *out])
    assert result.exit_code == 1
    assert "the vectors of 'small' are not there yet; run the step score first" in result.output
    scored = CliRunner().invoke(main, ["--progress", "none", "curate", "score", str(config), *out])
    assert scored.exit_code == 0, scored.output
    done = CliRunner().invoke(main, ["--progress", "none", "curate", "dedup", str(config), *out])
    assert done.exit_code == 0, done.output
    manifest = json.loads((tmp_path / "out/pool/decisions/dedup/_decision.json").read_text())
    assert manifest["identity"]["vectors"]["encoder"] == "projection"
