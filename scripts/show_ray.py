"""Label photos on a cluster of two nodes of Ray on this machine, kill one of them meanwhile, and count the rows.

    python scripts/show_ray.py model.so photos

Prints what it does; ends with 0 where each photo has exactly one row, and the rows are those of one process.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from depthwise.data.unlabelled import every_picture
from depthwise.jobs.classify.classify import Asked, classify, labelling
from depthwise.progress import Silent

# Parts that are there when the node is killed.
PARTS = 5


class Killer(Silent):
    """Kills a node after some parts."""

    def __init__(self, cluster: Any, node: Any) -> None:
        self.cluster, self.node, self.parts = cluster, node, 0

    def advance(self, **figures: str) -> None:
        """One part more; the node goes, without a word, after the fifth."""
        self.parts += 1
        if self.parts == PARTS:
            print(f"{PARTS} parts are there; the second node is killed", flush=True)
            self.cluster.remove_node(self.node, allow_graceful=False)


def main() -> int:
    """Show it."""
    import ray
    from ray.cluster_utils import Cluster

    artifact, data = Path(sys.argv[1]), Path(sys.argv[2])
    how = labelling(artifact, top=5, reduced=0)
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one.jsonl"), Path(folder, "two.jsonl")
        classify(Asked(data=data, out=one, how=how, processes=1, together=10), Silent())
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        second = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        print(f"a cluster of {len(ray.nodes())} nodes", flush=True)
        asked = Asked(data=data, out=two, how=how, ray=cluster.address, together=10)
        done = classify(asked, Killer(cluster, second))
        alive = sum(node["Alive"] for node in ray.nodes())
        ray.shutdown()
        cluster.shutdown()
        names = [json.loads(line)["path"] for line in two.read_text(encoding="utf-8").splitlines()]
        images = len(list(every_picture(data)))
        print(f"{alive} node is left; {images} images, {done.images} rows, {len(set(names))} of different images")
        same = one.read_bytes() == two.read_bytes()
        print(f"the file is {'the very one' if same else 'NOT the one'} that one process writes")
    return 0 if same and len(names) == len(set(names)) == images else 1


if __name__ == "__main__":
    sys.exit(main())
