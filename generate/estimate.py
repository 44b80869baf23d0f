"""What a run would do: images, denoiser evaluations, disk, what is left out and what is there already."""

from collections import Counter
from typing import Any

from diptych.addresses import Address
from diptych.data.growing import grow_data
from diptych.data.journal import JOURNAL
from diptych.data.manifests import DATASET
from diptych.generate.backends.asked import ImageGroup
from diptych.generate.growth import AS_IT_IS, STEP, GrowthOptions, find_shards, growth_of, open_others
from diptych.generate.layout import Layout, lay_out
from diptych.generate.plan import GenerationPlan
from diptych.generate.shard_job import cut_into_pieces
from diptych.generate.stored import FoundShards
from diptych.progress.wording import quantity
from diptych.storage.location import Location

NOTHING_THERE = FoundShards((), ())
# Bytes of a pixel of a photograph in the two formats; drawn pictures take less. Measured at 1024 x 1024.
BYTES_PER_PIXEL = {"png": 1.7, "webp": 1.6}
ASSUMED_PIXELS = 1024 * 1024  # where only the pipeline knows its size


def estimate(
    plan: GenerationPlan, out: Address | None, options: GrowthOptions = AS_IT_IS, *, progress: str = "none"
) -> dict[str, Any]:
    """Return what a run of a plan would do, as JSON-able values. Writes nothing.

    Args:
        plan: What to make; with weights where ``out`` is begun.
        out: Where; None leaves out what is there.
        options: What may become of images that were made before.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If the directory is another step's.
    """
    per_group, config = plan.images_per_group, plan.config
    sizes = [group.resolved.size for group in plan.groups]
    pixels = sum((size.width * size.height if size else ASSUMED_PIXELS) * per_group for size in sizes)
    found = _found(plan, out, progress) if out is not None else NOTHING_THERE
    others = open_others(options, Location.at(out) if out is not None else None, progress=progress)
    layout = lay_out(plan, found, growth_of(options, others))
    measured = _bytes_per_row(found)
    rate = measured if measured is not None else pixels * BYTES_PER_PIXEL[config.format] / plan.images
    nfe = sum(group.resolved.nfe * per_group for group in plan.groups)
    in_all = sum(group.resolved.nfe_in_all * per_group for group in plan.groups)
    return {
        "prompts": _prompts_by_set(plan),
        "models": {label: sum(group.model == label for group in plan.groups) for label in config.models},
        "images": plan.images,
        "rows": plan.rows,
        "images_done": plan.images - layout.rendered,
        "shards": len(layout.names),
        "growth": {**_growth(layout), "not_taken": others.not_taken(plan, layout)},
        "nfe": nfe,
        "nfe_in_all": in_all,
        "nfe_left": _nfe_left(plan, layout),
        "dropped": [dropped._asdict() for dropped in plan.dropped],
        "refused": [refused._asdict() for refused in plan.refused],
        "prompts_cut": dict(plan.cut),
        "notes": list(plan.notes),
        "without_effect": without_effect(plan),
        "useful_share": round(_useful_share(plan, layout), 4),
        "bytes": round(rate * plan.rows),
        "bytes_are_measured": measured is not None,
        "settings": [_setting(group, per_group) for group in plan.groups],
    }


def _growth(layout: Layout) -> dict[str, Any]:
    """Return what becomes of images that were made before, and what is new."""
    return {
        "rendered": layout.rendered,
        "reused": layout.reused,
        "pruned": layout.pruned.total(),
        "pruned_by_setting": dict(layout.pruned.most_common()),
        "shards_kept": len(layout.kept),
        "shards_rewritten": len(layout.rewritten),
        "shards_added": len(layout.added),
        "shards_gone": len(layout.gone),
    }


def _nfe_left(plan: GenerationPlan, layout: Layout) -> int:
    """Return how often the denoiser is still to be asked, with what guidance and other stages add."""
    numbers = (number for task in layout.tasks for number in task.rendered)
    counts = Counter(number // plan.images_per_group for number in numbers)
    settings = {index: plan.groups[index].resolved for index in counts}
    return sum(count * settings[index].nfe_in_all for index, count in counts.items())


def _setting(group: ImageGroup, images: int) -> dict[str, Any]:
    resolved = group.resolved
    return {
        "model": group.model,
        "setting": resolved.setting.label,
        "sampler": resolved.sampler,
        "steps": resolved.steps,
        "guidance": resolved.guidance,
        "size": f"{resolved.size.width}x{resolved.size.height}" if resolved.size else None,
        "nfe": resolved.nfe,
        "images": images,
    }


def _prompts_by_set(plan: GenerationPlan) -> dict[str, int]:
    counts = Counter(request.prompt_set for asked in plan.asked for request in asked.requests)
    return {name: counts[name] for name in plan.sets}


def without_effect(plan: GenerationPlan) -> list[str]:
    """Return what settings say that takes no part in any image of a model, in sentences."""
    own = sum(bool(one.negative) for one in plan.asked)
    said = []
    for group in plan.groups:
        resolved, setting = group.resolved, group.resolved.setting
        if setting.guidance is not None and setting.guidance > 1 and not resolved.counts:
            said.append(f"{group.model} reads no guidance: {setting.guidance:g} has no effect")
        if setting.negative and not resolved.takes_negative:
            said.append(f"{group.model} reads no negative prompt{_with(resolved.guidance)}: it has no effect")
        if own and not resolved.takes_negative:
            whose = f"those of {quantity(own, 'prompt')} have no effect in {setting.label}"
            said.append(f"{group.model} reads no negative prompt{_with(resolved.guidance)}: {whose}")
    return list(dict.fromkeys(said))


def _with(guidance: float | None) -> str:
    return "" if guidance is None else f" with guidance {guidance:g}"


def _useful_share(plan: GenerationPlan, layout: Layout) -> float:
    """Return the share of what is computed of all batches that is images, not padding; 1 where nothing is."""
    pieces = [piece for task in layout.tasks for piece in cut_into_pieces(plan, task) if piece.images]
    rows = sum(plan.group_of(piece.images[0]).batch_size for piece in pieces)
    return sum(len(piece.images) for piece in pieces) / rows if rows else 1.0


def is_begun(out: Address) -> bool:
    """Return whether a run has left something in a directory, so that its keys have to be compared."""
    place = Location.at(out)
    return (place / DATASET).is_file() or (place / "data" / JOURNAL).is_file()


def _found(plan: GenerationPlan, out: Address, progress: str) -> FoundShards:
    growing = grow_data(Location.at(out), STEP, plan.fingerprint)
    return find_shards(growing, extent="columns", progress=progress)


def _bytes_per_row(found: FoundShards) -> float | None:
    rows = sum(shard.info.rows for shard in found.sound)
    return sum(shard.info.bytes for shard in found.sound) / rows if rows else None
