"""Rows to pixels: one pipeline at a time, one batch shape, each text encoded once.

A batch always has the same number of rows, the last one repeated where rows are missing: the images of a batch do not
depend on each other, but at another batch size the last bits do.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diptych.errors import ConfigError, DiptychError, Shortage, one_line
from diptych.generate.backends import ImageRefused
from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.backends.diffusers.effects import refuse_without_effect
from diptych.generate.backends.diffusers.loading import choose_device, load_pipeline
from diptych.generate.backends.diffusers.noise import (
    first_steps_only,
    generators_of,
    global_state_untouched,
    put_scheduler,
    seeded,
    was_used,
)
from diptych.generate.backends.diffusers.output import OUTPUT_TYPE, array_of, pixels_of
from diptych.generate.backends.diffusers.pipeline_model import PipelineModel
from diptych.generate.backends.diffusers.recipes import build_scheduler
from diptych.generate.backends.diffusers.resolve import Binding, Tensors
from diptych.generate.pictures import Pixels
from diptych.pretrained.libraries import import_library
from diptych.shortage import what_ran_out

TEXT_CACHE_BYTES = 4 * 2**30  # of embeddings in main memory; 553 prompts of FLUX at half precision take 2.3 GB


class PipelineRenderer:
    """Makes images by pipelines of diffusers. Holds one model at a time."""

    def __init__(self, models: Mapping[str, PipelineModel], *, device: str, threads: int) -> None:
        """Make ready for some models by label; nothing is loaded yet."""
        self._models = models
        self._threads = threads
        self._device = choose_device(device)
        self._label = ""
        self._pipe: Any = None
        self._texts: dict[tuple[bool, str | None], Tensors] = {}
        self._text_bytes = 0
        self._tried: set[str] = set()
        self._broken: dict[str, DiptychError] = {}
        self.load_s = 0.0

    @property
    def environment(self) -> dict[str, Any]:
        """What can change last bits beside the config: versions and device."""
        import torch

        versions = {name: import_library(name).__version__ for name in ("diffusers", "transformers")}
        device = torch.cuda.get_device_name(self._device) if self._device.startswith("cuda") else self._device
        found = {"device": device, "torch": torch.__version__, **versions}
        if self._device == "cpu":
            found |= {"cpu": torch.backends.cpu.get_cpu_capability(), "threads": self._threads}
        return found

    def render(self, group: ImageGroup, rows: Sequence[PlannedImage]) -> list[Pixels | None]:
        """Return the pixels of at most ``group.batch_size`` rows, RGB (height, width, 3); None where they are NaN.

        Raises:
            DiptychError: If the model cannot be loaded, memory runs out, or the pipeline refuses.
        """
        with self._ready(group):
            padded = [*rows, *[rows[-1]] * (group.batch_size - len(rows))]
            arguments = self._arguments(group, padded)
            self._try_axes(group, padded, arguments)
            return pixels_of(self._call(group, padded, arguments), group)[: len(rows)]

    def attempt(self, group: ImageGroup, image: PlannedImage) -> None:
        """Make the first steps of an image, in a batch of copies.

        Raises:
            DiptychError: As ``render`` would.
        """
        with self._ready(group):
            copies = [image] * group.batch_size
            arguments = self._arguments(group, copies)
            self._try_axes(group, copies, arguments)
            pixels_of(self._call(group, copies, arguments, first_steps=True), group)

    @contextlib.contextmanager
    def _ready(self, group: ImageGroup) -> Iterator[None]:
        """Hold the model of a group, and compute as the config says."""
        import torch

        with _threads(self._threads if self._device == "cpu" else None), torch.inference_mode():
            self._open(group.model)
            yield

    def _open(self, label: str) -> None:
        """Load a model in the place of the one before."""
        if self._label == label:
            return
        if label in self._broken:
            raise self._broken[label]
        import torch

        self._pipe, self._label, self._texts, self._text_bytes = None, "", {}, 0
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()
        started = time.monotonic()
        try:
            with self._naming_memory(f"models.{label}", "its weights alone do not fit; take a smaller dtype"):
                self._pipe = load_pipeline(self._models[label].folder).to(self._device)
        except DiptychError as error:
            self._broken[label] = error  # which takes as long again to find out
            raise
        self._label = label
        self.load_s += time.monotonic() - started

    def _arguments(self, group: ImageGroup, rows: Sequence[PlannedImage]) -> dict[str, Any]:
        model, resolved = self._models[group.model], group.resolved
        family, options = model.family, model.folder.choice.options
        texts = [self._encoded(group, row.asked.text) for row in rows]
        negatives = None
        if resolved.takes_negative:
            wanted = [resolved.negative_of(row.asked.negative) for row in rows]
            negatives = [self._encoded(group, text, negative=True) for text in wanted]
        found = {**_as_tuples(options), **family.arguments(texts, negatives)}
        found = {name: value.to(self._device) if hasattr(value, "to") else value for name, value in found.items()}
        binding: Binding = resolved.recipe
        found |= {name: value for name, value in binding.fixed.items() if name not in found}
        if binding.sampler.timesteps is not None:
            found["timesteps"] = list(binding.sampler.timesteps)
        else:
            found["num_inference_steps"] = resolved.steps
        if resolved.guidance is not None:
            found[binding.guidance] = resolved.guidance
        if resolved.size is not None:
            found |= {"width": resolved.size.width, "height": resolved.size.height}
        return found

    def _encoded(self, group: ImageGroup, text: str | None, *, negative: bool = False) -> Tensors:
        """Return the tensors of a text, always encoded by itself, so that they do not depend on other texts."""
        known = self._texts.get((negative, text))
        if known is None:
            folder, family = self._models[group.model].folder, self._models[group.model].family
            with self._naming_memory(folder.where, "it does not fit beside its text encoders"), _refusing(group.label):
                if negative:
                    known = family.encode_negative(self._pipe, text, folder.choice.options)
                else:
                    known = family.encode(self._pipe, text or "", folder.choice.options)
            known = tuple(one.to("cpu").contiguous() if hasattr(one, "to") else one for one in known)
            self._remember((negative, text), known)
        return known

    def _remember(self, name: tuple[bool, str | None], tensors: Tensors) -> None:
        self._text_bytes += _bytes(tensors)
        while self._texts and self._text_bytes > TEXT_CACHE_BYTES:
            self._text_bytes -= _bytes(self._texts.pop(next(iter(self._texts))))
        self._texts[name] = tensors

    def _try_axes(self, group: ImageGroup, rows: Sequence[PlannedImage], arguments: Mapping[str, Any]) -> None:
        """Refuse axes without effect of a pipeline that nobody has looked into, once for each group."""
        if group.resolved.recipe.is_known or group.label in self._tried:
            return

        def first_steps(others: Mapping[str, Any]) -> Any:
            return array_of(self._call(group, rows, others, first_steps=True), group)

        refuse_without_effect(group, arguments, first_steps)
        if group.resolved.setting.sampler is not None and not was_used(self._pipe.scheduler):
            raise ConfigError(f"{group.label}: the pipeline does not sample by it; leave the sampler out")
        self._tried.add(group.label)

    def _call(
        self,
        group: ImageGroup,
        rows: Sequence[PlannedImage],
        arguments: Mapping[str, Any],
        *,
        first_steps: bool = False,
    ) -> Any:
        seeds = [row.seed for row in rows]
        generators = generators_of(seeds)
        put_scheduler(self._pipe, build_scheduler(group.resolved.recipe.sampler))
        size = group.resolved.size
        shown = f" of {size.width}x{size.height}" if size else ""
        advice = f"batch_size {group.batch_size}{shown} is too much; write a smaller batch_size and begin a new --out"
        with (
            self._naming_memory(f"{group.label}", advice),
            _refusing(group.label),
            seeded(self._pipe, generators, seeds),
            first_steps_only(self._pipe) if first_steps else contextlib.nullcontext(),
            global_state_untouched(group.label),
        ):
            return self._pipe(**arguments, generator=generators, output_type=OUTPUT_TYPE)

    @contextlib.contextmanager
    def _naming_memory(self, where: str, advice: str) -> Iterator[None]:
        """Turn memory that ran out into an error that says what to do; the batch never shrinks by itself."""
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if what_ran_out(error) != "memory":
                raise
            raise Shortage(f"{where}: the memory of {self._device} ran out: {advice}") from error


@contextlib.contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Compute with so many threads, whatever the caller's choice is; their number decides last bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _refusing(where: str) -> Iterator[None]:
    """Turn the refusal of a pipeline into an error that names model and setting."""
    try:
        yield
    except DiptychError:
        raise
    except Exception as error:  # whatever it throws at arguments, or where its parts do not fit each other
        if what_ran_out(error):
            raise
        raise ImageRefused(f"{where}: the pipeline refuses: {one_line(error)}") from error


def _as_tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with sizes and places as pipelines want them: YAML has lists alone."""
    pairs = ("_size", "_top_left")
    return {
        name: tuple(value) if isinstance(value, list) and name.endswith(pairs) else value
        for name, value in options.items()
    }


def _bytes(tensors: Tensors) -> int:
    return sum(one.numel() * one.element_size() for one in tensors if hasattr(one, "numel"))
