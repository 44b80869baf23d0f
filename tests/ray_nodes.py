"""Two Ray nodes of this machine, one of which is killed while both work; in a private network name space only."""

import os
import sys
from pathlib import Path

from local_jobs import Square

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}

from diptych.jobs.ray import ray_executor

BYTES = 100 * 2**20


def main(opened: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": BYTES}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(**node) for _ in range(2)]
    done: list[int] = []
    run = ray_executor(address=cluster.address)(Square(opened, 0.5), range(16), workers=2, report=lambda *_: None)
    for task, _, _ in run:
        done.append(task)
        if len(done) == 6:
            cluster.remove_node(nodes[1], allow_graceful=False)
    print(sorted(done) == list(range(16)), len(set(opened.read_text().split())))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
