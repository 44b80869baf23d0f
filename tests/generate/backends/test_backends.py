"""The contract: what every backend has, and a backend of one's own beside the others in one run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import own_backend
import pytest
from pydantic import ValidationError

from diptych.data.dataset import open_dataset
from diptych.data.images import decode
from diptych.data.shards import read_shard
from diptych.data.timings import read_environments, read_timings
from diptych.errors import ConfigError
from diptych.generate.backends import BACKENDS, make_backend, sampler_names
from diptych.generate.config import GenerateConfig
from diptych.generate.plan import GenerationPlan, make_plan
from diptych.generate.run import generate
from diptych.generate.verify import verify

MakePlan = Callable[..., GenerationPlan]
MakeConfig = Callable[..., GenerateConfig]


def test_samplers_of_every_backend_may_stand_in_a_setting() -> None:

    for name in BACKENDS:
        assert set(make_backend(name).samplers) <= set(sampler_names())


def test_an_unknown_backend_is_named() -> None:
    values: dict[str, Any] = {"job": "generate", "prompts": [{"kind": "demo"}]}
    with pytest.raises(ValidationError, match="backend: unknown backend 'difusers'; did you mean 'diffusers'"):
        GenerateConfig.model_validate({**values, "models": {"a": {"backend": "difusers", "path_or_id": "x"}}})
    with pytest.raises(ConfigError, match="unknown backend 'difusers'"):
        make_backend("difusers")


def test_a_backend_says_what_it_has_no_use_for(grey: dict[str, str], config_of: MakeConfig) -> None:
    with pytest.raises(ValidationError, match="revision: grey has none"):
        config_of("sd", models={"a": {**grey, "revision": "main"}})
    config = config_of("sd", models={"a": grey}, settings=[{"sampler": "straight", "guidance": 5}])
    with pytest.raises(ConfigError, match=r"models\.a: grey takes no guidance; leave it out"):
        make_plan(config, with_weights=True, progress="none")


def test_models_of_two_backends_are_made_in_one_run(
    grey: dict[str, str], models: Callable[[str], str], plan_of: MakePlan, tmp_path: Path
) -> None:
    choices = {"paper": grey, "sd": {"path_or_id": models("sd")}, "card": grey}
    settings = [{"steps": 2, "size": 64, "models": ["paper", "sd"]}, {"steps": 3, "size": 64, "models": ["card"]}]
    plan = plan_of("sd", models=choices, settings=settings, rows_per_shard=4)
    generate(plan, tmp_path / "out", progress="none")
    assert own_backend.OPENED == ["paper+card", "paper+card"], "one backend is open at a time"
    rows = [row for file in open_dataset(tmp_path / "out").files for row in read_shard(file).to_pylist()]
    assert [row["model"] for row in rows] == ["paper"] * 3 + ["sd"] * 3 + ["card"] * 3
    assert rows[0]["sampler"] == "straight"
    assert len({row["key"] for row in rows}) == 9
    for row in rows[:3]:
        assert np.unique(np.asarray(decode(row["image"]["bytes"]))).tolist() == [0, 253 - row["seed"] % 100]
    assert {one["device"] for one in read_environments(tmp_path / "out")} == {"paper", "cpu"}
    assert [len(timing["environments"]) for timing in read_timings(tmp_path / "out")] == [2, 2, 1]
    found = verify(open_dataset(tmp_path / "out"), plan, count=9, progress="none")
    assert [(one.model, one.identical) for one in found] == [("paper", 3), ("sd", 3), ("card", 3)]
