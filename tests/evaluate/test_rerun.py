"""What a rerun of an evaluation is: the same run, whose numbers say themselves how they were made."""

from pathlib import Path
from typing import Any, get_args

import pytest
from drawn import picture
from evaluate_configs import make_config, read, run
from pydantic import BaseModel
from tiny_dataset import Row, make_dataset
from tiny_generated import made_grid, make_generated

from diptych.config.identity import asked, fingerprint, is_later
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.metrics import kernel_distance
from diptych.evaluate.run import NO_PART_OF_IDENTITY


def test_a_metric_that_is_computed_in_another_way_since_is_the_same_run_with_numbers_of_another_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is what was asked of which images; how each number was made is the number's own identity."""
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=1))
    make_dataset(tmp_path / "real", [Row(picture(1000 + number), f"real {number}") for number in range(20)])
    config = make_config(
        tmp_path,
        encoders={"p": {"kind": "projection", "options": {"dim": 6}}},
        distances=[{"metric": name, "encoder": "p", "reference": "real"} for name in ("kid", "precision_recall")],
    )
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}

    def identities() -> dict[str, str]:
        return {row["metric"]: row["identity_id"] for row in read(tmp_path, "SELECT metric, identity_id FROM results")}

    first, before = run(config).run_id, identities()
    monkeypatch.setattr(kernel_distance, "VERSION", 99)
    assert run(config).run_id == first
    after = identities()
    assert {name for name in before if before[name] != after[name]} == {"kernel_distance"}
    assert [row["run_id"] for row in read(tmp_path, "SELECT run_id FROM runs")] == [first]
    known = {row["identity_id"] for row in read(tmp_path, "SELECT identity_id FROM identities")}
    assert known == {*after.values()}, "nothing of the store was made in the old way"


def test_a_config_that_says_nothing_of_later_keys_keeps_the_id_that_it_had(tmp_path: Path) -> None:
    scores = {"m": {"score": "clip_similarity", "encoder": "p"}}
    encoders = {"p": {"kind": "projection", "options": {"dim": 4}}}
    config = make_config(tmp_path, encoders=encoders, scores=scores, means=[{"score": "m.clip_similarity"}])

    def id_of(**changes: object) -> str:
        model = EvaluateConfig.model_validate({**config, "compare": {}, **changes})
        return fingerprint(asked(model, without=NO_PART_OF_IDENTITY))[:8]

    assert id_of() == "f214fdb7", "of the same config before there were such keys"
    assert id_of(noise_floor=False, compare={"margins": {}}) == id_of()
    told = (id_of(), id_of(noise_floor=True), id_of(compare={"margins": {"m.clip_similarity": 0.5}}))
    assert len({*told}) == 3


# What has been part of a run's identity since the first release. A key that comes later is none at its default, by
# Annotated[..., CameLater()].
FIRST_KEYS = """
AgreementChoice a at_least_a at_least_b b by datasets truth
Audit attribute by category datasets reference values
CheckedJudge right wrong
Compare baseline by encoders
DatasetChoice path role
DistanceChoice by datasets encoder metric paired reference
EncoderChoice kind options
EvaluateConfig agreements audit batch_size compare datasets decode_threads distances \
encoders job judges means name protocols scores store
JudgeChoice encoder kind options
MeanChoice by datasets judge_check score
ProtocolChoice beside by datasets encoder judge protocol rules
ScoreChoice encoder judge options score
StatisticsChoice path
"""


def models_in(kind: Any) -> set[type[BaseModel]]:
    """Return the models that a type is made of, at any depth."""
    inside = set().union(*map(models_in, get_args(kind)))
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return inside
    return {kind}.union(*(models_in(field.annotation) for field in kind.model_fields.values()))


def test_a_key_of_a_config_is_one_of_the_first_or_said_to_have_come_later() -> None:
    found = {
        model.__name__: {name for name, field in model.model_fields.items() if not is_later(field)}
        for model in models_in(EvaluateConfig)
    }
    assert found == {name: {*keys} for name, *keys in map(str.split, FIRST_KEYS.strip().splitlines())}
