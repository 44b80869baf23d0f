"""What one card does, in under eight minutes, without a network: run by ``make bench-gpu``.

All models have random weights and are saved by the script itself, see ``shapes``. Prints a table as docs/performance.md
has it; ``--tiny`` runs the same at a size for a CPU, whose figures say nothing.

    python tests/gpu/bench_gpu.py [--tiny] [PART ...]
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from gpu.making import determinism, generation
from gpu.seeing import inception, judging, matrix_rate, scoring
from gpu.shapes import REAL, TINY, Scale

Part = Callable[[Scale], Mapping[str, float | bool]]

PARTS: dict[str, tuple[str, Part]] = {
    "matrices": ("operations per second", lambda scale: {"half precision": matrix_rate(scale, scale.dtypes["flux"])}),
    "scoring": ("pictures per second, ViT-L/14", scoring),
    "inception": ("pictures per second, Inception-v3", inception),
    "judging": ("questions per second, a vision-language judge", judging),
    "sdxl": ("images per second, SDXL-shaped", lambda scale: generation("sdxl", scale)),
    "flux": ("images per second, FLUX-shaped", lambda scale: generation("flux", scale)),
    "bytes of sdxl": ("the same bytes, SDXL-shaped", lambda scale: determinism("sdxl", scale)),
    "bytes of flux": ("the same bytes, FLUX-shaped", lambda scale: determinism("flux", scale)),
}


def figures(found: Mapping[str, float | bool]) -> str:
    """Return what a part found, a line of a table each."""
    return "\n".join(
        f"| {name} | {('yes' if value else 'NO') if isinstance(value, bool) else f'{value:,.4g}'} |"
        for name, value in found.items()
    )


def main() -> int:
    """Run the parts that are asked for; a promise that does not hold is an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="at a size for a CPU")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; none are all")
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    scale = TINY if asked.tiny else REAL
    if not asked.tiny and not torch.cuda.is_available():
        print("not measured: no CUDA device; --tiny runs the same on a CPU, for its code alone")
        return 0
    card = platform.machine() if asked.tiny else torch.cuda.get_device_name()
    print(f"{card}, torch {torch.__version__}, {scale.size} px, {scale.steps} steps, batches of {scale.made_at_once}")
    began, broken = time.perf_counter(), []
    for name in asked.parts or PARTS:
        what, part = PARTS[name]
        found = part(scale)
        broken += [f"{name}: {one}" for one, value in found.items() if value is False]
        print(f"\n| {what} | |\n|---|---:|\n{figures(found)}", flush=True)
        if not asked.tiny:
            torch.cuda.empty_cache()
    print(f"\n{time.perf_counter() - began:.0f} s in all")
    print(*(f"not as docs/generate.md says: {one}" for one in broken), sep="\n", end="\n" if broken else "")
    return len(broken) > 0


if __name__ == "__main__":
    sys.exit(main())
