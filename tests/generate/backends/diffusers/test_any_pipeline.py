"""Pipelines that are driven by their signature: what is always passed, whatever nobody has said of them."""

from pathlib import Path
from typing import Any

import pytest

from diptych.generate.backends.asked import ModelChoice, ResolvedSetting, Setting
from diptych.generate.backends.diffusers.any_pipeline import AnyPipeline
from diptych.generate.backends.diffusers.models import ModelFolder


def resolved(pipeline: str, folder: Path, setting: Setting = Setting(), **options: Any) -> ResolvedSetting:  # noqa: B008
    """Return a setting as a pipeline takes it of which only the class and the class of its scheduler are known."""
    index = {"_class_name": pipeline, "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"]}
    choice = ModelChoice(path_or_id=str(folder), options=options)
    return AnyPipeline().resolve(ModelFolder("m", choice, folder, index), setting)


@pytest.mark.parametrize(
    ("pipeline", "name"),
    [("LattePipeline", "video_length"), ("LTXPipeline", "num_frames"), ("SanaVideoPipeline", "frames")],
)
def test_of_a_film_one_frame_is_made_by_whichever_name_it_calls_their_number(
    pipeline: str, name: str, tmp_path: Path
) -> None:
    assert resolved(pipeline, tmp_path).recipe.fixed[name] == 1
    assert name not in resolved(pipeline, tmp_path, **{name: 9}).recipe.fixed, "an option says otherwise"
