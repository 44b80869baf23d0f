import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from drawn import picture
from sealed import seal_dataset
from tiny_dataset import Row, good_rows, make_dataset, make_table, mixed_rows

from diptych.data import images
from diptych.data.dataset import open_dataset
from diptych.data.journal import Journal
from diptych.data.shards import read_shard, write_shard
from diptych.encoders.projection import ProjectionEncoder
from diptych.errors import ConfigError, ShardError
from diptych.jobs.engine import Engine
from diptych.scores import SCORES
from diptych.scores.batches import Batch
from diptych.scores.plan import ScorePlan
from diptych.scores.run import ScoreRun, score_dataset
from diptych.scores.tables import read_embeddings
from diptych.storage.json_objects import read_json

ENCODER = ("projection", {"dim": 8})
SIMILARITY = ("clip_similarity", {"encoder": "small"})
WORDS = ("caption_stats", {})
FAILED = {1: "not_found", 2: "truncated", 4: "not_an_image", 9: "timeout"}  # of mixed_rows


class Crash(BaseException):
    """The end of the process, as far as the code can tell."""


def plan(**scores: tuple[str, dict[str, Any]]) -> ScorePlan:
    return ScorePlan({"small": ENCODER}, scores)


def score(path: Path, what: ScorePlan, **options: Any) -> ScoreRun:
    return score_dataset(path, what, progress="none", **options)


def rows_of(run: ScoreRun, label: str) -> list[dict[str, Any]]:
    return [row for file in run.sets[label].files for row in read_shard(file).to_pylist()]


def column(run: ScoreRun, label: str, name: str) -> list[Any]:
    return [row[name] for row in rows_of(run, label)]


def contents(path: Path) -> dict[str, str]:
    """Return the digest of each file beside the data."""
    files = [file for folder in ("embeddings", "scores") for file in (path / folder).rglob("*") if file.is_file()]
    return {file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many images were decoded and prepared, how many rows embedded, in how many passes."""
    counter: Counter[str] = Counter()

    def counted(name: str, real: Callable[..., Any], size: Callable[..., int]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counter[name] += size(args[-1])
            counter[f"{name} passes"] += 1
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(images, "decode", counted("decode", images.decode, lambda _: 1))
    monkeypatch.setattr(ProjectionEncoder, "prepare", counted("prepare", ProjectionEncoder.prepare, lambda _: 1))
    monkeypatch.setattr(ProjectionEncoder, "images", counted("images", ProjectionEncoder.images, len))
    monkeypatch.setattr(ProjectionEncoder, "texts", counted("texts", ProjectionEncoder.texts, len))
    return counter


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """An aesthetic head over eight dimensions."""
    import torch

    torch.save({"weight": torch.arange(8.0)[None], "bias": torch.tensor([5.0])}, tmp_path / "head.pth")
    return tmp_path / "head.pth"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCORES, "own", "own_scores:own_score")


def many_scores(head: Path) -> ScorePlan:
    rating = {"encoder": "small", "version": "v1", "weights": str(head)}
    stats = ("image_stats", {})
    return plan(similarity=SIMILARITY, rating=("aesthetic", rating), stats=stats, hashes=("hashes", {}), words=WORDS)


def test_each_image_is_decoded_and_embedded_once_however_many_scores(
    tmp_path: Path, calls: Counter[str], head: Path
) -> None:
    make_dataset(tmp_path / "set", mixed_rows())
    run = score(tmp_path / "set", many_scores(head), batch_size=3)
    with_bytes = sum(row.status == "ok" for row in mixed_rows())
    with_caption = sum(row.caption is not None for row in mixed_rows())
    assert run.shards_done == 3
    assert (calls["decode"], calls["prepare"], calls["images"], calls["texts"]) == (with_bytes, 6, 6, with_caption)
    assert calls["images passes"] <= 5, "one pass a batch: shards of 4, 4 and 2 rows make five batches of three"


def test_every_encoder_embeds_once_and_has_its_own_set(tmp_path: Path, calls: Counter[str]) -> None:
    make_dataset(tmp_path / "set", good_rows(5))
    encoders = {"one": ENCODER, "two": ("projection", {"dim": 8, "seed": 1})}
    scores = {
        "a": ("clip_similarity", {"encoder": "one"}),
        "b": ("clip_similarity", {"encoder": "two"}),
        "c": ("caption_stats", {}),
    }
    run = score(tmp_path / "set", ScorePlan(encoders, scores))
    assert (calls["decode"], calls["prepare"], calls["images"], calls["texts"]) == (5, 10, 10, 10)
    assert column(run, "a", "clip_similarity") != column(run, "b", "clip_similarity")
    assert len(list((tmp_path / "set" / "embeddings").iterdir())) == 2
    names = {run.sets[label].name.rpartition("-")[0] for label in "abc"}
    assert (names, len({run.sets[label].path for label in "abc"})) == ({"clip_similarity", "caption_stats"}, 3)


def test_an_encoder_under_two_labels_gives_one_set(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(5))
    scores = {label: ("clip_similarity", {"encoder": label}) for label in ("one", "two")}
    run = score(tmp_path / "set", ScorePlan({"one": ENCODER, "two": ENCODER}, scores))
    assert run.sets["one"] == run.sets["two"]
    assert len(list((tmp_path / "set" / "embeddings").iterdir())) == 1
    assert score(tmp_path / "set", ScorePlan({"one": ENCODER, "two": ENCODER}, scores)).shards_done == 0


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 1}, {"batch_size": 3}, {"batch_size": 64, "threads": 1}, {"batch_size": 2, "engine": Engine(2)}],
    ids=str,
)
def test_files_do_not_depend_on_how_the_work_was_cut(tmp_path: Path, head: Path, options: dict[str, int]) -> None:
    make_dataset(tmp_path / "usual", mixed_rows())
    make_dataset(tmp_path / "cut", mixed_rows())
    score(tmp_path / "usual", many_scores(head))
    score(tmp_path / "cut", many_scores(head), **options)
    assert contents(tmp_path / "cut") == contents(tmp_path / "usual")
    assert len(contents(tmp_path / "cut")) == 6 * 5  # three shards, journal and manifest of six directories


def test_values_do_not_depend_on_the_cut_into_shards(tmp_path: Path, head: Path) -> None:
    make_dataset(tmp_path / "one", mixed_rows(), rows_per_shard=100)
    make_dataset(tmp_path / "many", mixed_rows(), rows_per_shard=1)
    one, many = (score(tmp_path / name, many_scores(head)) for name in ("one", "many"))
    for label in one.sets:
        assert rows_of(one, label) == rows_of(many, label)


def test_values_are_those_of_the_score_on_its_own(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(5))
    run = score(tmp_path / "set", plan(similarity=SIMILARITY), batch_size=2)
    whole = Batch(make_table(good_rows(5)).to_batches()[0])
    encoder = ProjectionEncoder(8, 0)
    expected = np.einsum("nd,nd->n", batch_unit(whole.embeddings(encoder)), batch_unit(whole.text_embeddings(encoder)))
    np.testing.assert_allclose(column(run, "similarity", "clip_similarity"), expected, atol=1e-6)


def batch_unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_rows_without_an_image_or_a_caption_are_null_and_say_why(tmp_path: Path, head: Path) -> None:
    make_dataset(tmp_path / "set", mixed_rows())
    run = score(tmp_path / "set", many_scores(head))
    for label, name in {"rating": "aesthetic_v1", "stats": "brightness", "hashes": "phash_imagehash"}.items():
        values, reasons = column(run, label, name), column(run, label, "reason")
        assert {row: reasons[row] for row, value in enumerate(values) if value is None} == FAILED, label
        assert [reason for row, reason in enumerate(reasons) if row not in FAILED] == [None] * 6, label
    reasons = column(run, "similarity", "reason")
    assert {row: reason for row, reason in enumerate(reasons) if reason} == {**FAILED, 6: "no_caption", 9: "no_caption"}
    similarity = column(run, "similarity", "clip_similarity")
    assert {row for row, value in enumerate(similarity) if value is None} == {*FAILED, 6}
    assert column(run, "words", "caption_words") == [2, 2, 2, 120, 2, 2, None, 4, 0, None]
    assert column(run, "similarity", "caption_truncated")[3] is True


def test_keys_and_positions_are_those_of_the_data(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", mixed_rows())
    run = score(tmp_path / "set", plan(similarity=SIMILARITY))
    (vectors,) = open_dataset(tmp_path / "set").column_sets("embeddings")
    for column_set in (run.sets["similarity"], vectors):
        for data, file in zip(dataset.files, column_set.files, strict=True):
            assert read_shard(file, ["key"]).equals(read_shard(data, ["key"]))


def test_stored_vectors_are_half_precision_and_null_where_there_is_no_image(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", mixed_rows(), rows_per_shard=100)
    score(tmp_path / "set", plan(similarity=SIMILARITY))
    (vectors,) = open_dataset(tmp_path / "set").column_sets("embeddings")
    stored = read_shard(vectors.files[0])["embedding"]
    assert stored.type == pa.list_(pa.float16(), 8)
    assert [value is None for value in stored.to_pylist()] == [row in (1, 2, 4, 9) for row in range(10)]
    np.testing.assert_allclose(np.linalg.norm(read_embeddings(vectors.files[0])[[0, 3]], axis=1), 1, atol=1e-3)
    assert vectors.manifest["dim"] == 8


def test_nan_never_reaches_the_disk(tmp_path: Path, own: None) -> None:
    make_dataset(tmp_path / "set", mixed_rows())
    run = score(tmp_path / "set", plan(value=("own", {"name": "nan"})))
    assert column(run, "value", "value") == [None] * 10
    expected = [FAILED.get(row, "not_scorable") for row in range(10)]
    assert column(run, "value", "reason") == expected
    found = duckdb.sql(f"SELECT count(value) FROM '{run.sets['value'].path}/*.parquet'").fetchall()
    assert found == [(0,)]


def test_a_second_run_does_no_work(tmp_path: Path, calls: Counter[str], head: Path) -> None:
    make_dataset(tmp_path / "set", mixed_rows())
    first = score(tmp_path / "set", many_scores(head))
    times = {name: (tmp_path / "set" / name).stat().st_mtime_ns for name in contents(tmp_path / "set")}
    calls.clear()
    second = score(tmp_path / "set", many_scores(head))
    assert (first.shards_done, second.shards_done, dict(calls)) == (3, 0, {})
    assert second.sets == first.sets
    assert times == {name: (tmp_path / "set" / name).stat().st_mtime_ns for name in contents(tmp_path / "set")}


def test_a_new_score_over_stored_vectors_decodes_and_embeds_no_image(
    tmp_path: Path, calls: Counter[str], head: Path
) -> None:
    make_dataset(tmp_path / "set", [*good_rows(5), Row(None, "x", "not_found", None)])
    score(tmp_path / "set", plan(similarity=SIMILARITY))
    calls.clear()
    rating = ("aesthetic", {"encoder": "small", "version": "v1", "weights": str(head)})
    run = score(tmp_path / "set", plan(similarity=SIMILARITY, rating=rating), batch_size=3)
    assert (run.shards_done, dict(calls)) == (2, {})
    make_dataset(tmp_path / "fresh", [*good_rows(5), Row(None, "x", "not_found", None)])
    assert rows_of(run, "rating") == rows_of(score(tmp_path / "fresh", plan(rating=rating)), "rating")


def test_a_score_of_captions_decodes_nothing(tmp_path: Path, calls: Counter[str]) -> None:
    make_dataset(tmp_path / "set", good_rows(5))
    score(tmp_path / "set", plan(words=WORDS))
    assert dict(calls) == {}
    assert not (tmp_path / "set" / "embeddings").exists()


def test_only_new_shards_cost_work_where_a_set_was_begun(tmp_path: Path, calls: Counter[str]) -> None:
    make_dataset(tmp_path / "set", good_rows(10))
    run = score(tmp_path / "set", plan(similarity=SIMILARITY))
    calls.clear()
    run.sets["similarity"].files[1].remove()  # and with it the whole set is unfinished, but its vectors are there
    again = score(tmp_path / "set", plan(similarity=SIMILARITY))
    assert (again.sets["similarity"].shards, calls["decode"], calls["texts"]) == (run.sets["similarity"].shards, 0, 4)


BREAKING = [f"data.{name}" for name in ("growing.write_manifest", "journal.Journal.commit", "journal.Journal.rewrite")]


def dying(calls: Iterator[int], at: int, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == at:
            raise Crash
        return real(*args, **kwargs)

    return call


def test_a_run_killed_anywhere_and_run_again_gives_the_same_bytes(tmp_path: Path) -> None:
    make_dataset(tmp_path / "whole", mixed_rows(), rows_per_shard=6)
    what = plan(similarity=SIMILARITY, words=WORDS)
    score(tmp_path / "whole", what)
    expected = contents(tmp_path / "whole")
    survived, at = False, 0
    while not survived:
        path = tmp_path / str(at)
        make_dataset(path, mixed_rows(), rows_per_shard=6)
        with pytest.MonkeyPatch.context() as patch:
            steps = iter(range(10**6))
            for name in (f"diptych.{name}" for name in (*BREAKING, "scores.job.write_shard")):
                patch.setattr(name, dying(steps, at, resolve_name(name)))
            try:
                score(path, what)
                survived = True
            except Crash:
                at += 1
        score(path, what)
        assert contents(path) == expected, f"killed at step {at}"
    assert at == 3 + 6 + 6 + 3 + 3 + 2 + 2, (
        "journal, write, commit, journal, manifest of three sets over two shards; journal and manifest of two labels"
    )


def test_a_killed_run_does_again_only_what_was_not_finished(tmp_path: Path, calls: Counter[str]) -> None:
    make_dataset(tmp_path / "set", good_rows(12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "commit", dying(iter(range(100)), 2, Journal.commit))
        with pytest.raises(Crash):
            score(tmp_path / "set", plan(similarity=SIMILARITY))
    assert calls["decode"] == 8
    calls.clear()
    assert score(tmp_path / "set", plan(similarity=SIMILARITY)).shards_done == 2
    assert calls["decode"] == 8


def test_vectors_that_were_deleted_from_a_begun_run_are_made_again(tmp_path: Path, own: None) -> None:
    make_dataset(tmp_path / "set", good_rows(12))
    make_dataset(tmp_path / "whole", good_rows(12))
    what = plan(similarity=SIMILARITY, words=WORDS)
    score(tmp_path / "whole", what)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "commit", dying(iter(range(100)), 4, Journal.commit))
        with pytest.raises(Crash):
            score(tmp_path / "set", what)
    shutil.rmtree(tmp_path / "set" / "embeddings")
    score(tmp_path / "set", what)
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")


def test_a_failing_score_raises_and_what_was_finished_is_kept(tmp_path: Path, own: None, calls: Counter[str]) -> None:
    make_dataset(tmp_path / "set", good_rows(8))
    what = plan(value=("own", {"name": "fails"}), similarity=SIMILARITY)
    with pytest.raises(ZeroDivisionError, match="a fault in the score"):
        score(tmp_path / "set", what)
    assert sorted(file.name for file in (tmp_path / "set" / "scores").rglob("*.parquet")) == ["00000.parquet"] * 2
    assert open_dataset(tmp_path / "set").column_sets("scores") == []
    calls.clear()
    assert score(tmp_path / "set", plan(similarity=SIMILARITY)).shards_done == 1
    assert calls["decode"] == 4


def test_another_identity_goes_into_another_directory(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(3))
    first = score(tmp_path / "set", plan(similarity=SIMILARITY)).sets["similarity"]
    other = ScorePlan({"small": ("projection", {"dim": 8, "seed": 1})}, {"similarity": SIMILARITY})
    second = score(tmp_path / "set", other).sets["similarity"]
    assert first.path != second.path
    assert [one.name for one in open_dataset(tmp_path / "set").column_sets("scores")] == sorted(
        [first.name, second.name]
    )
    renamed = ScorePlan({"other": ENCODER}, {"label": ("clip_similarity", {"encoder": "other"})})
    again = score(tmp_path / "set", renamed)
    assert (again.sets["label"].name, again.shards_done) == (first.name, 0), "a label is no part of the identity"


def test_changed_data_is_scored_again(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(8))
    score(tmp_path / "set", plan(similarity=SIMILARITY))
    changed = [*good_rows(7), Row(picture(99), "another")]
    make_dataset(tmp_path / "set", changed)
    make_dataset(tmp_path / "fresh", changed)
    run, fresh = (score(tmp_path / name, plan(similarity=SIMILARITY)) for name in ("set", "fresh"))
    assert rows_of(run, "similarity") == rows_of(fresh, "similarity")


def test_a_set_documents_its_columns_and_its_identity(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(2))
    found = score(tmp_path / "set", plan(similarity=SIMILARITY)).sets["similarity"]
    manifest = read_json(found.path / "_score.json")
    assert manifest["score"] == "clip_similarity"
    assert manifest["identity"]["encoder"] == {"encoder": "projection", "version": 1, "dim": 8, "seed": 0}
    assert [entry["name"] for entry in manifest["columns"]] == ["clip_similarity", "caption_truncated"]
    assert manifest["columns"][0]["better_for_data"] == manifest["columns"][0]["better_for_models"] == "higher"
    assert "packages" in manifest["provenance"]
    (vectors,) = open_dataset(tmp_path / "set").column_sets("embeddings")
    assert (vectors.manifest["encoder"], vectors.manifest["identity"]) == (
        "projection",
        manifest["identity"]["encoder"],
    )


def test_a_label_by_which_a_column_of_the_data_could_not_be_reached_is_refused(tmp_path: Path) -> None:
    rows = make_table(good_rows(2)).append_column("Words.caption_words", pa.array([1, 2]))
    path = seal_dataset(tmp_path / "d", [write_shard(rows, tmp_path / "d/data/00000.parquet")], {}).path
    message = "the data has a column 'Words.caption_words'; give the score 'words' another label"
    with pytest.raises(ConfigError, match=message):
        score(path, plan(words=WORDS))
    assert not (path / "scores").exists()
    assert score(path, plan(others=WORDS)).sets


def test_a_dataset_without_rows_is_scored(tmp_path: Path) -> None:
    make_dataset(tmp_path / "none", [])
    assert score(tmp_path / "none", plan(similarity=SIMILARITY)).shards_done == 0
    info = write_shard(make_table([]), tmp_path / "empty" / "data" / "00000.parquet")
    seal_dataset(tmp_path / "empty", [info], {"kind": "pairs"})
    run = score(tmp_path / "empty", plan(similarity=SIMILARITY, words=WORDS, stats=("image_stats", {})))
    assert (run.shards_done, rows_of(run, "similarity")) == (1, [])
    (vectors,) = open_dataset(tmp_path / "empty").column_sets("embeddings")
    assert read_embeddings(vectors.files[0]).shape == (0, 8)


def test_an_unfinished_dataset_is_refused(tmp_path: Path) -> None:
    write_shard(make_table(good_rows(2)), tmp_path / "data" / "00000.parquet")
    with pytest.raises(ShardError, match="not a finished dataset directory"):
        score(tmp_path, plan(words=WORDS))
