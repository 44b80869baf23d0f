"""Text-to-image pipelines of diffusers as a backend: folders that ``save_pretrained`` wrote, or ids on the hub.

Loads no weights and neither torch nor diffusers before a model is looked at.
"""

from collections.abc import Mapping

from diptych.generate.backends import BackendModel, Renderer
from diptych.generate.backends.asked import ModelChoice
from diptych.generate.backends.diffusers.finding import find_model
from diptych.generate.backends.diffusers.pipeline_model import PipelineModel, naming_damage
from diptych.generate.backends.diffusers.samplers import SAMPLERS

# What the program passes to a pipeline by itself; an option of a model must be something else.
_TEXTS = ("prompt", "prompt_2", "prompt_3", "prompt_embeds", "pooled_prompt_embeds")
OWN_ARGUMENTS = frozenset(
    {
        *_TEXTS,
        *(f"negative_{name}" for name in _TEXTS),
        "callback_on_step_end",
        "callback_on_step_end_tensor_inputs",
        "generator",
        "guidance_scale",
        "height",
        "latents",
        "num_images_per_prompt",
        "num_inference_steps",
        "output_type",
        "return_dict",
        "sigmas",
        "timesteps",
        "width",
    }
)


class DiffusersBackend:
    """The backend."""

    samplers = tuple(SAMPLERS)

    def check(self, choice: ModelChoice) -> None:
        """Refuse options that the program sets by itself."""
        taken = sorted(OWN_ARGUMENTS & set(choice.options))
        if taken:
            raise ValueError(f"options: {taken[0]!r} is set by the program; sampler, steps and so on are settings")

    def find(self, label: str, choice: ModelChoice, *, with_weights: bool) -> PipelineModel:
        """Return the model of a config, from a folder or from the hub."""
        with naming_damage(f"models.{label}", choice.path_or_id):
            return PipelineModel(find_model(label, choice, with_weights=with_weights))

    def renderer(self, models: Mapping[str, BackendModel], *, device: str, threads: int) -> Renderer:
        """Return a renderer of some models of this backend."""
        from diptych.generate.backends.diffusers.render import PipelineRenderer

        own = {label: model for label, model in models.items() if isinstance(model, PipelineModel)}
        return PipelineRenderer(own, device=device, threads=threads)
