"""What the tests of generation share: the tiny pipelines, saved once, and short configs of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_pipelines

from diptych.generate.config import GenerateConfig
from diptych.generate.plan import GenerationPlan, make_plan

Models = Callable[[str], str]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Return a function that gives the folder of one of ``tiny_pipelines.BUILDERS``."""
    root = tmp_path_factory.mktemp("models")
    return lambda name: str(root / name if (root / name).is_dir() else tiny_pipelines.save(name, root))


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.txt"
    path.write_text("a red fish\na house\ntwo stars above a tree\n", encoding="utf-8")
    return path


@pytest.fixture
def config_of(models: Models, prompts: Path) -> Callable[..., GenerateConfig]:
    """Return a function that makes a config: three prompts, the named models, four steps at 64 px."""

    def make(*names: str, **changes: Any) -> GenerateConfig:
        values = {
            "job": "generate",
            "prompts": [{"kind": "txt", "path": str(prompts)}],
            "models": {name: {"path_or_id": models(name)} for name in names},
            "settings": [{"steps": 4, "size": 64}],
            "batch_size": 4,
        }
        return GenerateConfig.model_validate(values | changes)

    return make


@pytest.fixture
def plan_of(config_of: Callable[..., GenerateConfig]) -> Callable[..., GenerationPlan]:
    """Return a function that makes a plan with weights, as ``config_of`` makes a config."""
    return lambda *names, **changes: make_plan(config_of(*names, **changes), with_weights=True, progress="none")
