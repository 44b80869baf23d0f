"""The table of pipelines in docs/models.md says what a plan takes and refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_families

from diptych.errors import ConfigError
from diptych.generate.backends.asked import ModelChoice, Setting, Size
from diptych.generate.backends.diffusers.families import family_of
from diptych.generate.backends.diffusers.finding import find_model
from diptych.generate.backends.diffusers.known_pipelines import ALWAYS, KNOWN_PIPELINES, KnownPipeline
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.generate.backends.diffusers.samplers import SAMPLERS

PAGE = Path(__file__).resolve().parents[4] / "docs" / "models.md"
SECTION = PAGE.read_text(encoding="utf-8").partition("## Families")[2].partition("\n## ")[0]
LINES = [line for line in SECTION.splitlines() if line[:1] == "|"]
TABLE = {name: cells for name, *cells in ([cell.strip() for cell in line.split("|")[1:-1]] for line in LINES[2:])}
BATCHED = {"StableDiffusion": "sd", "StableDiffusionXL": "sdxl", "StableDiffusion3": "sd3", "Flux": "flux"}

GUIDANCE = {
    "": "by its guider",
    "guidance_scale": "{}",
    "prior_guidance_scale": "of the prior, {}",
    "true_cfg_scale": "`true_cfg_scale`, {}",
}
THIRTY_TWO = ("HunyuanImage", "Sana", "SanaSprint")  # pixels of the side of a latent pixel; elsewhere 8


def samplers_of(folder: ModelFolder) -> str:
    """Return the samplers that a plan takes, as the table says them."""
    taken = []
    for name in SAMPLERS:
        try:
            family_of(folder.pipeline).resolve(folder, Setting(sampler=name, steps=2))
            taken.append(name)
        except ConfigError as error:
            assert name in str(error)  # noqa: PT017 -- one or the other, for each name
    refused = [name for name in SAMPLERS if name not in taken]
    if not taken or not refused:
        return "all" if taken else "its own"
    return f"all but `{refused[0]}`" if len(refused) == 1 else " ".join(f"`{name}`" for name in taken)


def above(known: KnownPipeline) -> str:
    """Return from which guidance on each step asks the denoiser twice, as the table says it."""
    if known.guided_above is None:
        return "read by the denoiser"
    return "always" if known.guided_above == ALWAYS else f"above {known.guided_above:g}"


def test_every_known_pipeline_is_made_tiny_here_and_stands_in_the_documentation() -> None:
    assert {tiny_families.described(name)["pipeline"] for name in tiny_families.NAMES} == set(KNOWN_PIPELINES)
    assert [*TABLE] == [name.removesuffix("Pipeline") for name in (*BATCHED, *KNOWN_PIPELINES)]


@pytest.mark.parametrize("name", tiny_families.NAMES)
def test_the_documentation_says_what_a_setting_can_ask_of_a_known_pipeline(name: str, tmp_path: Path) -> None:
    path = tiny_families.save_small_files(name, tmp_path)
    folder = ModelFolder(
        "m", ModelChoice(path_or_id=str(path)), path, json.loads((path / "model_index.json").read_text())
    )
    known, short = KNOWN_PIPELINES[folder.pipeline], folder.pipeline.removesuffix("Pipeline")
    guidance, negative, sides, samplers = TABLE[short]
    beside = " beside a negative prompt" if known.negative == "asks" else ""
    unless = ", unless distilled" if known.distilled_by else ""
    assert guidance == GUIDANCE[known.guidance].format(above(known)) + beside + unless
    assert negative.partition(",")[0] == {"always": "always", "never": "none"}.get(known.negative, above(known))
    assert samplers == samplers_of(folder)
    if known.coder in folder.components:  # as the released one has it
        config = {"spatial_compression_ratio": 32 if short in THIRTY_TWO else 8}
        (path / known.coder / "config.json").write_text(json.dumps(config))
    assert sides == f"{known.multiple(folder)}" + (", of one area" if known.area else "")


@pytest.mark.parametrize("name", BATCHED)
def test_the_documentation_says_which_sides_and_samplers_a_pipeline_with_a_family_has(
    name: str, models: Callable[[str], str]
) -> None:
    folder = find_model("m", ModelChoice(path_or_id=models(BATCHED[name])), with_weights=False)
    *_, sides, samplers = TABLE[name]
    assert samplers == samplers_of(folder)
    with pytest.raises(ConfigError, match=f"makes sides that are multiples of {sides}, not"):
        family_of(folder.pipeline).resolve(folder, Setting(size=Size(4, 4)))
