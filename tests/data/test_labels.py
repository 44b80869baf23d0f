"""Which score a label means: the one that was last asked for by it; the others stay."""

from pathlib import Path

import pytest
from drawn import draw_dataset
from told_scores import install

from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.labels import give_labels, labelled_sets, labels_of
from diptych.data.manifests import manifest_problem, read_manifest, write_manifest
from diptych.errors import ConfigError, ShardError
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def score(path: Path, **scores: int) -> Dataset:
    """Compute ``told_number`` in some versions, each under its label."""
    plan = ScorePlan({}, {label: ("told_number", {"version": version}) for label, version in scores.items()})
    score_dataset(path, plan, progress="none")
    return open_dataset(path)


def versions(dataset: Dataset) -> dict[str, int]:
    found = labelled_sets(dataset)
    return {label: column_set.manifest["identity"]["version"] for label, column_set in found.items()}


def test_a_score_goes_by_the_label_under_which_it_was_computed(tmp_path: Path) -> None:
    draw_dataset(tmp_path)
    dataset = score(tmp_path, old=1, new=2)
    assert versions(dataset) == {"old": 1, "new": 2}
    for column_set in dataset.column_sets("scores"):
        assert manifest_problem(column_set.location / "_score.json") == ""


def test_other_options_take_the_label_and_delete_nothing(tmp_path: Path) -> None:
    draw_dataset(tmp_path)
    score(tmp_path, n=1)
    dataset = score(tmp_path, n=2)
    assert versions(dataset) == {"n": 2}
    assert len(dataset.column_sets("scores")) == 2
    assert versions(score(tmp_path, n=1)) == {"n": 1}, "asked for again, and nothing is computed for it"


def test_a_score_may_have_two_labels_and_is_computed_once(tmp_path: Path) -> None:
    draw_dataset(tmp_path)
    dataset = score(tmp_path, a=1, b=1)
    assert versions(dataset) == {"a": 1, "b": 1}
    assert len(dataset.column_sets("scores")) == 1
    assert versions(score(tmp_path, c=1)) == {"a": 1, "b": 1, "c": 1}
    assert versions(score(tmp_path, b=2)) == {"a": 1, "c": 1, "b": 2}


def test_two_labels_change_places(tmp_path: Path) -> None:
    draw_dataset(tmp_path)
    score(tmp_path, a=1, b=2)
    assert versions(score(tmp_path, a=2, b=1)) == {"a": 2, "b": 1}


def test_the_same_labels_again_write_nothing(tmp_path: Path) -> None:
    draw_dataset(tmp_path)
    dataset = score(tmp_path, a=1, b=2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    give_labels(dataset, labelled_sets(dataset))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == before


def test_two_sets_that_claim_a_label_are_refused_until_one_is_asked_for(tmp_path: Path) -> None:
    draw_dataset(tmp_path)
    dataset = score(tmp_path, a=1, b=2)
    claimed = labelled_sets(dataset)["b"].location / "_score.json"
    manifest = read_manifest(claimed)
    write_manifest(claimed, {**manifest.facts, "labels": ["a"]}, list(manifest.shards))
    with pytest.raises(ShardError, match="both are labelled 'a'"):
        labelled_sets(open_dataset(tmp_path))
    assert versions(score(tmp_path, a=2)) == {"a": 2}
    assert [labels_of(column_set) for column_set in open_dataset(tmp_path).column_sets("scores")] in (
        [[], ["a"]],
        [["a"], []],
    )


def test_labels_outlive_a_stop_while_shards_are_made_again(tmp_path: Path) -> None:
    dataset = draw_dataset(tmp_path, rows=4, rows_per_shard=2)
    plan = ScorePlan({}, {"first": ("image_stats", {})})
    score_dataset(tmp_path, plan, progress="none")
    score_dataset(tmp_path, ScorePlan({}, {"mine": ("image_stats", {})}), progress="none")
    (found,) = dataset.column_sets("scores")
    found.files[1].write(bytes(100))
    growing = GrowingSet(dataset, "scores", found.name, found.manifest["identity"])
    growing.begin()  # and killed
    score_dataset(tmp_path, plan, progress="none")
    assert set(labelled_sets(dataset)) == {"first", "mine"}


def test_a_label_that_is_one_to_sql_with_a_stored_one_is_refused(tmp_path: Path) -> None:
    draw_dataset(tmp_path, rows=2, rows_per_shard=2)
    score_dataset(tmp_path, ScorePlan({}, {"lab": ("image_stats", {})}), progress="none")
    with pytest.raises(ConfigError, match="the labels 'lab' and 'LAB' are one to SQL"):
        score_dataset(tmp_path, ScorePlan({}, {"LAB": ("caption_stats", {})}), progress="none")
