"""What the tests of generation share: the tiny pipelines, saved once, and short configs of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import own_backend
import pytest
import tiny_pipelines

from diptych.generate.backends import BACKENDS
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


@pytest.fixture
def grey(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Put a backend of one's own beside the others, and return a model of it for a config: images cost nothing."""
    monkeypatch.setitem(BACKENDS, "grey", "own_backend:GreyBackend")
    monkeypatch.setattr(own_backend, "OPENED", [])
    return {"backend": "grey", "path_or_id": "paper"}


@pytest.fixture
def plan_texts(grey: dict[str, str], tmp_path: Path) -> Callable[..., GenerationPlan]:
    """Return a function that plans prompts of sets, by name of the set, with two settings and two samples of grey."""

    def make(sets: dict[str, list[str]], **changes: Any) -> GenerationPlan:
        samples = changes.pop("samples", 2)
        entries = []
        for name, texts in sets.items():
            path = tmp_path / f"{name}.txt"
            path.write_text("".join(f"{text}\n" for text in texts))
            own = samples[name] if isinstance(samples, dict) else samples
            entries.append({"kind": "txt", "name": name, "path": str(path), "samples": own})
        values = {"job": "generate", "prompts": entries, "models": {"grey": grey}, "settings": [{"steps": [3, 4]}]}
        return make_plan(GenerateConfig.model_validate(values | changes), with_weights=True, progress="none")

    return make
