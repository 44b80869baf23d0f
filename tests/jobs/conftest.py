from collections.abc import Iterator
from typing import Any

import pytest

from diptych.jobs import ray_cluster


@pytest.fixture(scope="session")
def ray_here() -> Iterator[Any]:
    """Ray on a cluster of this machine and process that pretends to have two GPUs."""
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_cluster, "count_gpus", lambda: 2)
        patch.setenv("DIPTYCH_CPUS", "4")
        patch.delenv("OMP_NUM_THREADS", raising=False)
        yield ray_cluster.join(ray_cluster.LOCAL, with_gpus=True)
