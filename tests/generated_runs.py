"""What tests of generation look at in the directory of a run, and the renders that it took."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa

from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.data.timings import TIMINGS
from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.pictures import Pixels
from diptych.generate.renderers import Renderers

BESIDE = {TIMINGS, ".lock"}  # files that need not be the same again

Rendered = Counter[tuple[str, int]]


def digests(out: Path) -> dict[str, str]:
    """Return the sha256 of every file of a run but of those beside the dataset."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file() and path.name not in BESIDE]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def shard_digests(out: Path) -> dict[str, str]:
    """Return the sha256 of the shards of a run by name."""
    return {name: digest for name, digest in digests(out).items() if name.endswith(".parquet")}


def table_of(out: Path) -> pa.Table:
    """Return the rows of a finished run."""
    return pa.concat_tables(read_shard(file) for file in open_dataset(out).files)


def pictures(out: Path) -> dict[str, bytes]:
    """Return the pictures of a finished run by key; every key stands there once."""
    table = table_of(out)
    keys, images = (table[name].to_pylist() for name in ("key", "image"))
    assert len(set(keys)) == len(keys)
    return {key: image["bytes"] if image else None for key, image in zip(keys, images, strict=True)}


@contextmanager
def counting(*, failing: Sequence[int] = ()) -> Iterator[Rendered]:
    """Count the renders of each image, by model with setting and seed, in this process.

    Args:
        failing: Seeds of images that come out as no numbers.
    """
    found: Rendered = Counter()
    render = Renderers.render

    def counted(self: Renderers, group: ImageGroup, images: Sequence[PlannedImage]) -> list[Pixels | None]:
        found.update((group.label, image.seed) for image in images)
        pixels: list[Any] = render(self, group, images)
        return [None if image.seed in failing else one for image, one in zip(images, pixels, strict=True)]

    with mock.patch.object(Renderers, "render", counted):
        yield found
