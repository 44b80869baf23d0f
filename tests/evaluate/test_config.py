"""What an evaluation's config may say, and what it says when something in it is wrong."""

from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import make_config, write_config

from diptych.config.load import load
from diptych.errors import ConfigError
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.score_columns import COLUMN_OF_METRIC, ScoreColumns, find_score
from diptych.evaluate.score_names import METRICS
from diptych.scores import Column


def load_with(folder: Path, **changes: Any) -> EvaluateConfig:
    return load(write_config(folder, make_config(folder, **changes)), EvaluateConfig)


def test_the_smallest_config_judges_everything(tmp_path: Path) -> None:
    loaded = load_with(tmp_path)
    assert list(loaded.judged()) == ["generated"]
    assert (loaded.distances, loaded.means, loaded.compare, loaded.audit) == ((), (), None, None)


WORDS = {"who": {"score": "own.py:attribute"}}  # of which only its file knows the columns


def test_references_are_judged_only_where_they_are_named(tmp_path: Path) -> None:
    datasets = {
        "made": {"path": "a"},
        "real": {"path": "b", "role": "reference"},
        "web": {"path": "c", "role": "pairs"},
    }
    loaded = load_with(tmp_path, datasets=datasets, scores={"i": {"score": "image_stats"}})
    assert list(loaded.judged()) == ["made", "web"]
    assert loaded.scored() == {"made", "web"}
    loaded = load_with(tmp_path, datasets=datasets, scores=WORDS, audit={"datasets": ["real"]})
    assert loaded.scored() == {"made", "web", "real"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": {}}, "datasets: has too few: 0, of 1 at least"),
        ({"datasets": {"real": {"path": "a", "role": "reference"}}}, "datasets: all are references"),
        ({"datasets": {"a": {"path": "a", "role": "made"}}}, "datasets.a.role: has to be 'generated'"),
        ({"datasets": {"a b": {"path": "a"}}}, "has to be a text of the pattern"),
        ({"name": "../x"}, "name: has to be a text of the pattern"),
        ({"scores": {"s": {"score": "clip_similarty"}}}, "unknown score 'clip_similarty'; did you mean"),
        ({"scores": {"s": {"score": "clip_similarity", "encoder": "clp"}}}, "scores.s.encoder: unknown encoder 'clp'"),
        (
            {"distances": [{"metric": "frechet_distance", "encoder": "p", "reference": "generated"}]},
            "distances.0.encoder: unknown encoder 'p'",
        ),
        (
            {
                "encoders": {"p": {"kind": "projection"}},
                "distances": [{"metric": "kernel_distance", "encoder": "p", "reference": "generate"}],
            },
            "distances.0.reference: unknown dataset 'generate'; did you mean 'generated'",
        ),
        (
            {"distances": [{"metric": "fd", "encoder": "p", "reference": "generated"}]},
            "distances.0.metric: unknown metric 'fd'",
        ),
        ({"means": [{"score": "x", "datasets": ["gen"]}]}, "means.0.datasets: unknown dataset 'gen'"),
        ({"audit": {"datasets": ["gen"]}}, "audit.datasets: unknown dataset 'gen'"),
        ({"compare": {"by": "model"}}, "compare: there is nothing to compare"),
        ({"compare": {"encoders": ["p"]}}, "compare.encoders: unknown encoder 'p'"),
        ({"compare": {"by": "seed"}}, "compare.by: unknown column 'seed'"),
        ({"mean": []}, "unknown key 'mean'; did you mean 'means'"),
        ({"audit": {"reference": {"orange": 1.5}}}, "has to be at most 1"),
    ],
)
def test_mistakes_are_named_where_they_are(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_with(tmp_path, **changes)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "config.yaml"))


def test_a_reference_for_all_or_by_class(tmp_path: Path) -> None:
    shares = load_with(tmp_path, scores=WORDS, audit={"reference": {"orange": 1, "blue": 0.0}}).audit
    assert shares is not None
    assert shares.reference == {"orange": 1.0, "blue": 0.0}
    nested = load_with(tmp_path, scores=WORDS, audit={"reference": {"doctor": {"orange": 0.3}}}).audit
    assert nested is not None
    assert nested.reference == {"doctor": {"orange": 0.3}}


def test_two_distances_do_not_disagree_on_what_is_paired(tmp_path: Path) -> None:
    distance = {"metric": "fid", "encoder": "p", "reference": "real"}
    other = {**distance, "metric": "frechet_distance", "by": [], "paired": True}
    message = r"distances\.1: frechet_distance to real by p of 'generated' is paired here or in distances\.0 and not"
    datasets = {"generated": {"path": "a"}, "real": {"path": "b", "role": "reference"}}
    with pytest.raises(ConfigError, match=message):
        load_with(tmp_path, datasets=datasets, encoders={"p": {"kind": "projection"}}, distances=[distance, other])


@pytest.mark.parametrize(("given", "name"), [("fid", "frechet_distance"), ("KID", "kernel_distance")])
def test_a_metric_may_be_called_as_papers_call_it(given: str, name: str, tmp_path: Path) -> None:
    distance = {"metric": given, "encoder": "p", "reference": "real"}
    config = load_with(
        tmp_path,
        datasets={"generated": {"path": "a"}, "real": {"path": "b", "role": "reference"}},
        encoders={"p": {"kind": "projection"}},
        distances=[distance],
    )
    assert config.distances[0].metric == name


@pytest.mark.parametrize(("given", "name"), [("clip_score", "clip_similarity"), ("CLIPScore", "clip_similarity")])
def test_a_score_may_be_called_as_papers_call_it(given: str, name: str, tmp_path: Path) -> None:
    encoders = {"e": {"kind": "open_clip", "options": {"architecture": "ViT-B-32", "pretrained": "openai"}}}
    changes = {"encoders": encoders, "scores": {"match": {"score": given, "encoder": "e"}}}
    config = load_with(tmp_path, **changes, means=[{"score": "match.clip_score"}, {"score": "clip_score"}])
    assert config.scores["match"].score == name


def test_a_column_is_found_by_the_metric_that_its_mean_is() -> None:
    assert {metric.name: column for column, metric in METRICS.items()} == COLUMN_OF_METRIC
    known = {"match.clip_similarity": Column("clip_similarity", "how alike")}
    assert find_score("x", "match.clip_score", ScoreColumns(known)) == "match.clip_similarity"
    assert find_score("x", "clip_score", ScoreColumns(known)) == "match.clip_similarity"
    own = {"mine.clip_score": Column("clip_score", "of a file of the user's")}
    assert find_score("x", "mine.clip_score", ScoreColumns(own)) == "mine.clip_score"


@pytest.mark.parametrize("name", ["mach.clip_similarity", "match.clip_simlarity", "match"])
def test_a_mean_of_no_score_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    encoders = {"e": {"kind": "open_clip", "options": {"architecture": "ViT-B-32", "pretrained": "openai"}}}
    scores = {"match": {"score": "clip_similarity", "encoder": "e"}}
    with pytest.raises(ConfigError, match=rf"config.yaml:\d+:\d+: means.0.score: unknown score column '{name}'"):
        load_with(tmp_path, encoders=encoders, scores=scores, means=[{"score": name}])
