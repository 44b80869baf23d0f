from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_trainings import CLIP, DETECTOR, VAE

from diptych.demo.training import rows
from diptych.demo.training.caption_rows import CaptionKind
from diptych.demo.training.detector_rows import (
    DetectorKind,
)
from diptych.demo.training.rows import kept_rows
from diptych.demo.world.seeds import CLIP_ROWS, DETECTOR_ROWS
from diptych.errors import ConfigError


def test_batches_larger_than_all_pictures_are_refused_before_any_is_drawn() -> None:
    for settings in (CLIP, DETECTOR, VAE):
        with pytest.raises(ConfigError, match="batches of 9 need as many pictures; there are 8"):
            replace(settings, batch=9, rows=8)


@pytest.mark.parametrize(("name", "processes"), [("clip", 2), ("detector", 1)])
def test_rows_are_drawn_once_and_do_not_depend_on_processes_or_files(
    name: str, processes: int, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, first = {"clip": (CaptionKind(64, 40), CLIP_ROWS), "detector": (DetectorKind(64), DETECTOR_ROWS)}[name]
    seeds = range(first, first + 20)
    whole = request.getfixturevalue({"clip": "captioned", "detector": "detectable"}[name])._asdict()
    monkeypatch.setattr(rows, "ROWS_PER_FILE", 7)
    drawn = kept_rows(tmp_path, kind, seeds, processes=processes)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert sorted(path.name for path in before) == ["rows-0000.npz", "rows-0001.npz", "rows-0002.npz"]
    monkeypatch.setattr(rows.RowJob, "open", lambda *_: pytest.fail("was drawn again"))
    again = kept_rows(tmp_path, kind, seeds)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert list(drawn) == list(again) == list(whole)
    for field in whole:
        np.testing.assert_array_equal(drawn[field], again[field])
        np.testing.assert_array_equal(drawn[field], whole[field][:20])
        assert drawn[field].dtype == whole[field].dtype
