import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from diptych.jobs import ray_cluster


@pytest.fixture(scope="module")
def ray_here() -> Iterator[Any]:
    """Ray on a cluster of this machine and process that pretends to have two GPUs; nothing of it stays behind."""
    pytest.importorskip("ray", reason="needs the extra ray")
    with mock.patch.dict(os.environ), mock.patch.object(ray_cluster, "count_gpus", return_value=2):
        os.environ["DIPTYCH_CPUS"] = "4"
        os.environ.pop("OMP_NUM_THREADS", None)
        yield ray_cluster.join(ray_cluster.LOCAL, with_gpus=True)
        ray_cluster.end()
