"""What is written in pictures, read by RapidOCR in runs and by a judge that says what it is told to."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import own_judges
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from own_judges import WRITTEN
from PIL import Image
from tiny_dataset import Row, make_dataset, make_table
from tiny_readers import save_florence2, save_trocr
from written import written

from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.errors import ConfigError
from diptych.jobs.engine import Engine
from diptych.judges import make_judge
from diptych.judges.contract import TextLine
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.scores.written_text import covered


def as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def row_of(image: Image.Image) -> Row:
    return Row(as_png(image), size=image.size)


def test_text_lines_and_share_are_those_of_the_lines_that_are_sure_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)
    lines = [
        TextLine("STOP", 0.9, (0, 0, 10, 4)),
        TextLine("maybe", 0.4, (0, 4, 10, 8)),
        TextLine("all", 0.8, (5, 0, 15, 4)),
    ]
    WRITTEN.update({20: lines})
    batch = Batch(
        make_table(
            [row_of(Image.new("RGB", (20, 20))), row_of(Image.new("RGB", (20, 10))), Row(None, status="not_found")]
        ).to_batches()[0]
    )
    found = make_score("written_text", {"judge": make_judge("own_text", {}), "threshold": 0.4}).score(batch)
    assert found["written_text"].tolist() == ["STOP\nall", "", None]
    assert found["written_lines"].tolist() == [2, 0, None]
    np.testing.assert_allclose(found["written_share"], [60 / 400, 0.0, np.nan])


BOXES = st.tuples(*[st.integers(0, 12)] * 4).map(
    lambda four: (min(four[:2]), min(four[2:]), max(four[:2]), max(four[2:]))
)


@given(st.lists(BOXES, max_size=6))
def test_pixels_in_several_boxes_count_once(boxes: list[tuple[int, int, int, int]]) -> None:
    canvas = np.zeros((12, 12), bool)
    for left, top, right, bottom in boxes:
        canvas[top:bottom, left:right] = True
    assert covered([TextLine("", 1.0, corners) for corners in boxes]) == canvas.sum()


def test_judge_that_does_not_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)
    with pytest.raises(ConfigError, match="judge 'own_boxes' gives no text; it gives boxes: name another one"):
        make_score("written_text", {"judge": make_judge("own_boxes", {})})


def rapidocr_options(folder: Path) -> dict[str, str]:
    return {}


def trocr_options(folder: Path) -> dict[str, str]:
    return {"weights": str(save_trocr(folder)), "lines": "rapidocr"}


def florence2_options(folder: Path) -> dict[str, str]:
    return {"weights": str(save_florence2(folder))}


SLOW = pytest.mark.slow  # the same job, and a larger model


@pytest.mark.parametrize(
    "options_of", [rapidocr_options, *(pytest.param(each, marks=SLOW) for each in (trocr_options, florence2_options))]
)
def test_two_workers_and_other_batches_read_the_same_to_the_last_byte(
    tmp_path: Path, options_of: Callable[[Path], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of torch in the workers, as here: it decides the last bit
    torch.set_num_threads(1)
    kind = options_of.__name__.removesuffix("_options")
    shops = [row_of(written([f"Shop {number}", "开门"], width=240)) for number in range(4)]
    rows = [*shops, Row(None, status="not_found")]
    judges = {"reader": (kind, options_of(tmp_path / "model"))}
    what = ScorePlan({}, {"text": ("written_text", {"judge": "reader"})}, judges=judges)
    for name, options in {"one": {"batch_size": 1}, "two": {"engine": Engine(2), "batch_size": 1}}.items():
        make_dataset(tmp_path / name, rows)
        run = score_dataset(tmp_path / name, what, progress="none", **options)
    texts = [text for file in run.sets["text"].files for text in read_shard(file)["written_text"].to_pylist()]
    assert [text is None for text in texts] == [False] * 4 + [True]
    if kind == "rapidocr":
        assert texts[:4] == [f"Shop {number}\n开门" for number in range(4)]
    whole = contents(tmp_path / "one")
    assert contents(tmp_path / "two") == whole
    (found,) = open_dataset(tmp_path / "two").column_sets("evidence")
    found.files[0].path.unlink()  # as a run that was killed before it
    assert score_dataset(tmp_path / "two", what, progress="none", batch_size=1).shards_done == 1
    assert contents(tmp_path / "two") == whole


def contents(path: Path) -> dict[str, str]:
    files = [file for folder in ("evidence", "scores") for file in (path / folder).rglob("*.parquet")]
    return {file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
