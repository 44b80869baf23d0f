"""Near-duplicate search: a million hashes, a million with a crowd, and imagededup. Run by ``make bench``.

Each figure comes from a fresh process, so that its peak memory is its own. Asserts counts and memory, never time.
"""

import importlib.util
import json
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.hamming import find_pairs
from diptych.curate.duplicates.stars import group_equal, star_clusters, summarise

Hashes = npt.NDArray[np.uint64]
Figures = dict[str, float]

MILLION = 1_000_000
PLANTED = 20_000
PLANTED_BITS = 8
CROWD = 300_000
MEMORY_MIB = 4096
COMPARED = 20_000  # hashes that both packages search
COMPARED_RADII = (8, 10)  # imagededup's default is 10


def random_with_planted(rows: int, planted: int) -> Hashes:
    """Return random hashes; each of the last ``planted`` is 1 to 8 bits from the row that is as far from the start."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(2**64, size=rows, dtype=np.uint64)
    for row in range(planted):
        bits = rng.choice(64, rng.integers(1, PLANTED_BITS + 1), replace=False).astype(np.uint64)
        hashes[rows - 1 - row] = hashes[row] ^ np.bitwise_or.reduce(np.uint64(1) << bits)
    return hashes


def peak_mib() -> float:
    """Return the peak resident memory of this process, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def measure_million() -> Figures:
    """Search a million hashes for the planted pairs."""
    hashes = random_with_planted(MILLION, PLANTED)
    start = time.perf_counter()
    values, first, _ = group_equal(hashes)
    pairs = find_pairs(values, PLANTED_BITS)
    seconds = time.perf_counter() - start
    left, right = first[pairs.left], first[pairs.right]
    found = int(((left < PLANTED) & (left + right == MILLION - 1)).sum())
    return {"found": found, "seconds": seconds, "peak_mib": peak_mib()}


def measure_crowd() -> Figures:
    """Cluster a million hashes of which 300,000 lie around one, as those of flat pictures do."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(2**64, size=MILLION, dtype=np.uint64)
    hashes[:CROWD] = 0
    for bit in range(64):
        hashes[:CROWD] |= (rng.random(CROWD) < 0.04).astype(np.uint64) << np.uint64(bit)
    order = rng.permutation(MILLION)
    start = time.perf_counter()
    stars = star_clusters(hashes, PLANTED_BITS, order=order)
    seconds = time.perf_counter() - start
    summary = summarise(stars)
    return {"largest": summary.largest_size, "alarm": summary.alarm, "seconds": seconds, "peak_mib": peak_mib()}


def measure_imagededup(radius: int, method: str) -> Figures:
    """Search the same hashes with imagededup's public call and with ours, each from hexadecimal strings by name."""
    from imagededup.methods import PHash

    hashes = random_with_planted(COMPARED, COMPARED // 50)
    names = [f"{row:06d}.jpg" for row in range(COMPARED)]
    encodings = {name: f"{value:016x}" for name, value in zip(names, hashes.tolist(), strict=True)}
    start = time.perf_counter()
    pairs = find_pairs(np.array([int(text, 16) for text in encodings.values()], dtype=np.uint64), radius)
    ours = time.perf_counter() - start
    options = {} if method == "default" else {"search_method": method}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        theirs_by_name = PHash(verbose=False).find_duplicates(
            encoding_map=encodings, max_distance_threshold=radius, scores=True, **options
        )
        theirs = time.perf_counter() - start
    found = {(*sorted((name, other)), bits) for name, others in theirs_by_name.items() for other, bits in others}
    is_equal = found == {(names[left], names[right], bits) for left, right, bits in zip(*pairs, strict=True)}
    return {"pairs": len(found), "is_equal": is_equal, "ours": ours, "theirs": theirs}


def in_fresh_process(*arguments: str) -> Figures:
    """Run one measurement of this file and return what it printed."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def print_ours() -> None:
    """Print what a million hashes take."""
    million = in_fresh_process("million")
    print(
        f"1,000,000 random hashes, radius {PLANTED_BITS}: {million['found']:,} of {PLANTED:,} planted pairs in "
        f"{million['seconds']:.1f} s, peak {million['peak_mib']:.0f} MiB",
        flush=True,
    )
    assert million["found"] == PLANTED
    assert million["peak_mib"] < MEMORY_MIB
    crowd = in_fresh_process("crowd")
    print(
        f"1,000,000 hashes, {CROWD:,} of them a crowd, radius {PLANTED_BITS}: star clusters, the largest of "
        f"{crowd['largest']:,} rows, in {crowd['seconds']:.1f} s, peak {crowd['peak_mib']:.0f} MiB",
        flush=True,
    )
    assert crowd["alarm"]
    assert crowd["largest"] > CROWD / 2
    assert crowd["peak_mib"] < MEMORY_MIB


def print_comparison(radius: int, method: str) -> None:
    """Print how much longer imagededup takes than we do for the same pairs."""
    title = f"20,000 hashes, radius {radius}, against imagededup's {method} search"
    if importlib.util.find_spec("imagededup") is None:
        print(f"{title}: not measured: pip install 'diptych[bench]'")
        return
    figures = in_fresh_process("imagededup", str(radius), method)
    ratio = figures["theirs"] / figures["ours"]
    print(
        f"{title}: {figures['ours'] * 1000:.0f} ms against {figures['theirs']:.1f} s, {ratio:,.0f} times faster, "
        f"the same {figures['pairs']:,} pairs",
        flush=True,
    )
    assert figures["is_equal"]


def main() -> None:
    """Print one line per figure."""
    print_ours()
    for radius in COMPARED_RADII:
        print_comparison(radius, "default")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["million"]:
            print(json.dumps(measure_million()))
        case ["crowd"]:
            print(json.dumps(measure_crowd()))
        case ["imagededup", radius, method]:
            print(json.dumps(measure_imagededup(int(radius), method)))
        case unknown:
            sys.exit(f"unknown measurement {' '.join(unknown)}; run without arguments")
