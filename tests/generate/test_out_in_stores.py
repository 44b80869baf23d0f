"""Images are made into an object store as they are on this machine."""

from collections.abc import Callable
from pathlib import Path

from object_store import Bucket, local_files

from diptych.data.timings import TIMINGS, read_timings
from diptych.generate.plan import GenerationPlan
from diptych.generate.run import generate

MakePlan = Callable[..., GenerationPlan]


def test_images_are_written_as_on_this_machine(
    plan_of: MakePlan, grey: dict[str, str], bucket: Bucket, tmp_path: Path
) -> None:
    plan = plan_of(models={"paper": grey}, samples=2, rows_per_shard=2)
    generate(plan, tmp_path / "out", progress="none")
    assert generate(plan, f"{bucket.address}/out", progress="none").rendered == 6
    local = local_files(tmp_path / "out")
    del local[TIMINGS]
    stored = bucket.files("out")
    del stored[TIMINGS]
    assert {name: data for name, data in stored.items() if name != ".lock"} == local
    names = [note["shard"] for note in read_timings(f"{bucket.address}/out")]
    assert names == [f"0000{number}.parquet" for number in range(3)]
    assert generate(plan, f"{bucket.address}/out", progress="none").shards_made == 0
