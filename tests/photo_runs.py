"""Runs of a judge over real photographs by two workers, killed and run again."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image
from sealed import seal_dataset
from tiny_dataset import Row, make_dataset, make_table

from diptych.data.checks import CHECKS
from diptych.data.dataset import open_dataset
from diptych.data.journal import Journal
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.jobs.engine import Engine
from diptych.judges.contract import Answer
from diptych.judges.evidence import ANSWERS, read_evidence
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

QUESTION = {"question": "Is there a cat?", "choices": ["yes", "no"]}


class Killed(BaseException):
    """The end of the process, as far as the code can tell."""


def photo_rows(shared: Path) -> list[Row]:
    """Return seven photographs of as many sizes."""
    files = sorted((shared / "real/photos/clip-retrieval/test_images").glob("*.jpg"))
    assert len(files) == 7
    rows = []
    for file in files:
        with Image.open(file) as photo:
            rows.append(Row(file.read_bytes(), file.stem, size=photo.size))
    return rows


def evidence_files(path: Path) -> dict[str, str]:
    """Return the digest of each file of evidence."""
    files = (path / "evidence").rglob("*.parquet")
    return {file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def answers_in(path: Path) -> list[list[Answer] | None]:
    """Return what the one judge of a dataset answered about each row."""
    every = open_dataset(path).column_sets("evidence")
    (found,) = (one for one in every if one.manifest["identity"]["evidence"] == ANSWERS.name)
    return [records for file in found.files for records in read_evidence(ANSWERS, file).records]


def run_killed_and_resumed(
    tmp_path: Path, shared: Path, kind: str, options: Mapping[str, Any], *, reads: bool = False
) -> list[Answer]:
    """Return the answers about the photographs, once two workers were killed and left what one leaves undisturbed.

    A judge that reads as well is asked for the text too.
    """
    text = {"text": ("written_text", {"judge": "eye"})} if reads else {}
    scores = {"cat": ("answer", {"judge": "eye", **QUESTION}), **text}
    what = ScorePlan({}, scores, judges={"eye": (kind, dict(options))})
    make_dataset(tmp_path / "whole", photo_rows(shared), rows_per_shard=2)
    kill_and_resume(tmp_path, what)
    records = answers_in(tmp_path / "killed")
    return [answer for some in records for answer in some or ()]


def make_checked_dataset(path: Path, shared: Path, checks: Mapping[str, Any]) -> None:
    """Write the photographs as a dataset whose rows all have the same checks."""
    rows = make_table(photo_rows(shared))
    column = pa.array([json.dumps(checks)] * len(rows), pa.string())
    table = rows.append_column(pa.field(CHECKS, pa.string()), column)
    table = table.cast(data_schema([pa.field(CHECKS, pa.string())]))
    infos = [write_shard(table.slice(2 * n, 2), path / "data" / shard_name(n)) for n in range(4)]
    seal_dataset(path, infos, {})


def kill_and_resume(tmp_path: Path, what: ScorePlan) -> None:
    """Run a plan over ``whole``, and over a copy, ``killed``, by two workers who are killed: both have the same."""
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    score_dataset(tmp_path / "whole", what, progress="none")
    with pytest.MonkeyPatch.context() as patch:
        commits = iter(range(10**6))
        real = Journal.commit

        def dying(*args: Any, **kwargs: Any) -> Any:
            if next(commits) == 3:
                raise Killed
            return real(*args, **kwargs)

        patch.setattr(Journal, "commit", dying)
        with pytest.raises(Killed):
            score_dataset(tmp_path / "killed", what, progress="none", engine=Engine(2))
    assert open_dataset(tmp_path / "killed").column_sets("evidence") == [], "what was killed is not whole"
    score_dataset(tmp_path / "killed", what, progress="none", engine=Engine(2))
    assert evidence_files(tmp_path / "killed") == evidence_files(tmp_path / "whole") != {}
