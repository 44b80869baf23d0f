"""Encoders: Inception beside torch-fidelity's, and several over one decode beside each alone. Run by ``make bench``.

Weights are random, saved and loaded as real ones are. Inception is measured from the bytes of a picture to its
features, one thread: both sides decode with Pillow and resize as TensorFlow 1 did. Three encoders are then run over a
dataset together, from one decode, beside the bare models on pixels that are prepared before, and beside a run for each.
Loading them counts. Ratios are of processor seconds, in turns. Asserts that values are equal, never the time.
"""

import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import transformers
from bench_scores import SMALL, save_random_model
from benchmark_data import draw_photographs, photograph
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from inception_weights import save_random_weights

from diptych.data.images import decode
from diptych.encoders import Encoder, make_encoder
from diptych.scores.plan import ScorePlan, Spec
from diptych.scores.run import score_dataset

PICTURES, BATCH, TURNS, SIDE = 64, 16, 3, 512
VECTORS = np.ndarray


def processor_seconds(work: Callable[[], Any]) -> float:
    """Return the seconds of the processor that a piece of work takes, all threads together."""
    started = time.process_time()
    work()
    return time.process_time() - started


def batches(count: int) -> list[range]:
    """Return the rows of each batch."""
    return [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]


def compare_inception(weights: Path) -> None:
    """Print pictures per second and core of both, and how far their features are apart."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    theirs = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], str(weights)).eval()
    ours = make_encoder("inception", {"weights": str(weights), "device": "cpu"})
    bodies = [photograph(seed, SIDE) for seed in range(PICTURES)]

    def by_diptych() -> VECTORS:
        prepared = ([ours.prepare(decode(bodies[row])) for row in rows] for rows in batches(PICTURES))
        return np.concatenate([ours.images(pixels) for pixels in prepared])

    def by_torch_fidelity() -> VECTORS:
        found = []
        for rows in batches(PICTURES):
            opened = [np.asarray(Image.open(io.BytesIO(bodies[row])).convert("RGB")) for row in rows]
            with torch.inference_mode():
                found.append(theirs(torch.from_numpy(np.stack(opened)).permute(0, 3, 1, 2))[0].numpy())
        return np.concatenate(found)

    one, other = by_diptych(), by_torch_fidelity()  # also warms both
    apart = float(np.abs(one - other).max() / np.abs(other).max())
    assert apart < 1e-4, apart
    own, peer = zip(
        *((processor_seconds(by_diptych), processor_seconds(by_torch_fidelity)) for _ in range(TURNS)), strict=True
    )
    rates = [PICTURES / median(seconds) for seconds in (own, peer)]
    print(f"Inception features, {PICTURES} pictures of {SIDE} x {SIDE}, pictures per second and core: {rates[0]:.2f}, "
          f"torch-fidelity {rates[1]:.2f}, ratio {rates[0] / rates[1]:.2f}; features {apart:.1e} apart")  # fmt: skip


def save_random_dinov2(folder: Path) -> Path:
    """Save a ViT-S/14 of random weights as transformers lays it out."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6}
    model = transformers.Dinov2Model(transformers.Dinov2Config(**sizes, patch_size=14, image_size=518))
    model.save_pretrained(folder)
    return folder


def bare(encoder: Encoder, bodies: list[bytes]) -> float:
    """Return the processor seconds of a model alone, on pixels that are prepared before."""
    prepared = [[encoder.prepare(decode(bodies[row])) for row in rows] for rows in batches(len(bodies))]
    encoder.images(prepared[0])  # loads it
    return processor_seconds(lambda: [encoder.images(pixels) for pixels in prepared])


def scored(specs: dict[str, Spec]) -> float:
    """Return the processor seconds of a run over a fresh dataset with some encoders, each warm."""
    with tempfile.TemporaryDirectory() as place:
        draw_photographs(Path(place), PICTURES, side=SIDE)
        plan = ScorePlan(specs, {}, tuple(specs))
        return processor_seconds(lambda: score_dataset(Path(place), plan, batch_size=BATCH, threads=1, progress="none"))


def compare_together(folder: Path, weights: Path) -> None:
    """Print what three encoders take from one decode beside the models alone, and beside three runs."""
    save_random_model(folder / "clip", SMALL)
    specs: dict[str, Spec] = {
        "clip": ("open_clip", {"architecture": str(folder / "clip"), "device": "cpu"}),
        "dinov2": ("dinov2", {"weights": str(save_random_dinov2(folder / "dinov2")), "device": "cpu"}),
        "inception": ("inception", {"weights": str(weights), "device": "cpu"}),
    }
    bodies = [photograph(seed, SIDE) for seed in range(PICTURES)]
    scored(specs)  # warm
    turns = []
    for _ in range(TURNS):
        together = scored(specs)
        apart = sum(scored({label: spec}) for label, spec in specs.items())
        models = sum(bare(make_encoder(*spec), bodies) for spec in specs.values())
        turns.append((together / models, together / apart, together))
    of_models, of_runs, seconds = (median(values) for values in zip(*turns, strict=True))
    names = ", ".join(specs)
    print(f"{names} from one decode, {PICTURES} pictures of {SIDE} x {SIDE}: {seconds:.1f} s of a processor, "
          f"{of_models:.2f} x the bare models, {of_runs:.2f} x a run for each")  # fmt: skip


def main() -> None:
    """Run both parts on one thread."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        weights = save_random_weights(Path(place) / "inception.pth")
        compare_inception(weights)
        compare_together(Path(place), weights)


if __name__ == "__main__":
    main()
