"""What a run would do: images, denoiser evaluations, disk, what is left out and what is there already."""

import json
from pathlib import Path
from typing import Any

from diptych.data.dataset import open_dataset
from diptych.data.journal import JOURNAL
from diptych.errors import ShardError
from diptych.generate.plan import GenerationPlan

# Bytes of a pixel of a photograph in the two formats; drawn pictures take less. Measured at 1024 x 1024.
BYTES_PER_PIXEL = {"png": 1.7, "webp": 1.6}
ASSUMED_PIXELS = 1024 * 1024  # where only the pipeline knows its size


def estimate(plan: GenerationPlan, out: Path | None) -> dict[str, Any]:
    """Return what a run of a plan would do, as JSON-able values. Writes nothing.

    Args:
        plan: What to make; with weights where ``out`` is begun.
        out: Where; None leaves out what is done.

    Raises:
        ShardError: If ``out`` was made from something else.
    """
    per_group, config = plan.images_per_group, plan.config
    sizes = [group.resolved.size for group in plan.groups]
    pixels = sum((size.width * size.height if size else ASSUMED_PIXELS) * per_group for size in sizes)
    done, measured = _done(plan, out) if out is not None else (0, None)
    rate = measured if measured is not None else pixels * BYTES_PER_PIXEL[config.format] / plan.images
    nfe = sum(group.resolved.nfe * per_group for group in plan.groups)
    twice = sum(group.resolved.nfe * per_group for group in plan.groups if group.resolved.guides)
    return {
        "prompts": {name: sum(asked.prompt_set == name for asked in plan.asked) for name in plan.sets},
        "models": {label: sum(group.model == label for group in plan.groups) for label in config.models},
        "images": plan.images,
        "images_done": done,
        "shards": plan.shards,
        "nfe": nfe,
        "nfe_with_guidance": nfe + twice,
        "dropped": [dropped._asdict() for dropped in plan.dropped],
        "prompts_cut": dict(plan.cut),
        "without_effect": without_effect(plan),
        "useful_share": round(_useful_share(plan), 4),
        "bytes": round(rate * plan.images),
        "bytes_are_measured": measured is not None,
        "settings": [
            {
                "model": group.model,
                "setting": group.resolved.setting.label,
                "sampler": group.resolved.sampler,
                "steps": group.resolved.steps,
                "guidance": group.resolved.guidance,
                "size": f"{size.width}x{size.height}" if size else None,
                "nfe": group.resolved.nfe,
                "images": per_group,
            }
            for group, size in zip(plan.groups, sizes, strict=True)
        ],
    }


def without_effect(plan: GenerationPlan) -> list[str]:
    """Return what settings say that takes no part in any image of a model, in sentences."""
    said = []
    for group in plan.groups:
        resolved, setting = group.resolved, group.resolved.setting
        if setting.guidance is not None and setting.guidance > 1 and not resolved.counts:
            said.append(f"{group.model} reads no guidance: {setting.guidance:g} has no effect")
        if setting.negative and not resolved.takes_negative:
            said.append(f"{group.model} reads no negative prompt with guidance {resolved.guidance:g}: it has no effect")
    return list(dict.fromkeys(said))


def _useful_share(plan: GenerationPlan) -> float:
    """Return the share of the rows of all batches that are images, not padding."""
    rows = 0
    for shard in range(plan.shards):
        for part in plan.parts(shard):
            size = plan.groups[part.group].batch_size
            rows += -(-(part.stop - part.start) // size) * size
    return plan.images / rows


def is_begun(out: Path) -> bool:
    """Return whether a run has left something in a directory, so that its fingerprint has to be compared."""
    return (out / "dataset.json").is_file() or (out / "data" / JOURNAL).is_file()


def _done(plan: GenerationPlan, out: Path) -> tuple[int, float | None]:
    """Return how many images are there, and how many bytes each takes; None where there are none."""
    if not is_begun(out):
        return 0, None
    made_from, shards = _finished(out)
    if not shards:  # another config may take the directory
        return 0, None
    if made_from != plan.fingerprint:
        raise ShardError(f"{out}: made from another config, other prompts or other weights; give another --out")
    rows = sum(shard["rows"] for shard in shards)
    return rows, sum(shard["bytes"] for shard in shards) / rows if rows else None


def _finished(out: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return what a directory is made from and its finished shards, without touching the journal of a run."""
    if (out / "dataset.json").is_file():
        dataset = open_dataset(out)
        made_from = dataset.manifest.get("made_by", {}).get("fingerprint", "")
        return str(made_from), [{"rows": shard.rows, "bytes": shard.bytes} for shard in dataset.shards]
    made_from, shards = "", {}
    for line in (out / "data" / JOURNAL).read_text(encoding="utf-8").splitlines():
        try:
            value = json.loads(line)
        except ValueError:  # the last line of a run that was killed or is writing
            continue
        if "fingerprint" in value:
            made_from = value["fingerprint"]
        elif (out / "data" / value["name"]).is_file():
            shards[value["name"]] = value
    return made_from, list(shards.values())
