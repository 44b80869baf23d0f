from pathlib import Path
from typing import Any

import pytest
from tiny_dataset import good_rows, make_dataset

from diptych.errors import ConfigError
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

ENCODER = ("projection", {"dim": 8})
DETECTOR = ("centre_point", {"weights": "package:diptych.demo/models/detector"})


def plan(**scores: tuple[str, dict[str, Any]]) -> ScorePlan:
    return ScorePlan({"small": ENCODER}, scores, judges={"eye": DETECTOR})


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (plan(a=("clip_similarity", {"encoder": "smal"})), "score 'a': unknown encoder 'smal'; did you mean 'small'"),
        (plan(a=("clip_similarity", {})), "the option 'encoder' is missing"),
        (plan(a=("clip_similarty", {})), "unknown score 'clip_similarty'; did you mean 'clip_similarity'"),
        (plan(a=("caption_stats", {"encoder": "small"})), "unknown option 'encoder'"),
        (plan(a=("object_accuracy", {"judge": "eyes"})), "score 'a': unknown judge 'eyes'; did you mean 'eye'"),
        (plan(a=("object_accuracy", {})), "the option 'judge' is missing"),
        (plan(a=("caption_stats", {"judge": "eye"})), "unknown option 'judge'"),
        (ScorePlan({"small": ("projektion", {})}, {}), "unknown encoder 'projektion'; did you mean 'projection'"),
        (ScorePlan({}, {}, judges={"eye": ("centre_pint", {})}), "unknown judge 'centre_pint'; did you mean"),
        (ScorePlan({}, {}, judges={"eye": ("centre_point", {})}), "the option 'weights' is missing"),
        (
            ScorePlan({}, {}, judges={"eye": ("centre_point", {"encoder": "x"})}),
            "judge 'eye': unknown encoder 'x'; there is none",
        ),
    ],
    ids=str,
)
def test_a_wrong_plan_is_refused_before_anything_is_written(tmp_path: Path, what: ScorePlan, message: str) -> None:
    make_dataset(tmp_path / "set", good_rows(2))
    with pytest.raises(ConfigError) as caught:
        score_dataset(tmp_path / "set", what, progress="none")
    assert message in str(caught.value)
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["README.md", "data", "dataset.json"]


def test_needed_are_the_encoders_and_judges_that_something_uses() -> None:
    encoders = dict.fromkeys(("embedded", "of_a_judge", "of_a_score", "unused"), ENCODER)
    judges = {"eye": ("vectors", {"encoder": "of_a_judge"}), "unused": DETECTOR}
    scores = {"a": ("clip_similarity", {"encoder": "of_a_score"}), "b": ("object_accuracy", {"judge": "eye"})}
    found = ScorePlan(encoders, scores, ("embedded",), judges).needed()
    assert set(found.encoders) == {"embedded", "of_a_judge", "of_a_score"}
    assert set(found.judges) == {"eye"}
    assert (found.scores, found.embed) == (scores, ("embedded",))


def test_vectors_of_a_score_and_evidence_of_a_rule_are_what_they_need() -> None:
    built = plan(
        a=("clip_similarity", {"encoder": "small"}),
        b=("object_accuracy", {"judge": "eye"}),
        c=("perceived_attribute", {"judge": "eye"}),
    ).build()
    (evidence,) = built.looks
    assert built.needs_of(("scores", "a")) == {("embeddings", "small")}
    assert built.needs_of(("scores", "b")) == built.needs_of(("scores", "c")) == {("evidence", evidence)}
    assert built.needs_of(("evidence", evidence)) == built.needs_of(("embeddings", "small")) == set()
