"""Label photos on a cluster of two nodes of Ray on this machine, kill one of them meanwhile, and count the rows.

    python scripts/show_ray.py model.so photos

The second node is killed while its worker labels a part. Prints what it does, with which worker began which part and
which did not end it; ends with 0 where a part was lost with the node, each photo has exactly one row all the same, and
the rows are those of one process.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from depthwise.data.unlabelled import every_picture
from depthwise.jobs.classify import cluster
from depthwise.jobs.classify.classify import Asked, classify, labelling
from depthwise.progress import Silent

# Photos of a part, and parts that are there when the node is killed.
TOGETHER, PARTS = 20, 5
# Seconds to wait for the second node's worker to begin a part.
PATIENCE = 60
NOTES = "DEPTHWISE_SHOW_NOTES"


def note(event: str, part: int) -> None:
    """A line in the file that all workers share."""
    import ray

    node = ray.get_runtime_context().get_node_id()
    with Path(os.environ[NOTES]).open("a", encoding="utf-8") as file:
        file.write(json.dumps([event, part, os.getpid(), node]) + "\n")


class Noting(cluster.Worker):
    """A worker that notes which part it begins and ends."""

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """The rows of a part."""
        import pickle

        number = pickle.loads(row["part"]).number
        note("begins", number)
        found = super().__call__(row)
        note("ends", number)
        return found


class Notes:
    """What the workers noted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[tuple[str, int, int, str]]:
        """Event, part, process and node of each line."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return [tuple(json.loads(line)) for line in lines]

    def at_work(self, node: str) -> Iterator[tuple[int, int]]:
        """Parts that a node began and has not ended, with the process."""
        seen = [(event, part, pid) for event, part, pid, where in self.read() if where == node]
        for event, part, pid in seen:
            if event == "begins" and ("ends", part, pid) not in seen:
                yield part, pid


class Killer(Silent):
    """Kills a node after some parts, at a moment when its worker is in the middle of one."""

    def __init__(self, nodes: Any, node: Any, notes: Notes) -> None:
        self.nodes, self.node, self.notes, self.parts = nodes, node, notes, 0
        self.lost: list[tuple[int, int]] = []

    def advance(self, **figures: str) -> None:
        """One part more; the node goes, without a word, in the middle of a part after the fifth."""
        self.parts += 1
        if self.lost or self.parts < PARTS:
            return
        until = time.monotonic() + PATIENCE
        while not (at_work := list(self.notes.at_work(self.node.node_id))) and time.monotonic() < until:
            time.sleep(0.005)
        self.nodes.remove_node(self.node, allow_graceful=False)
        # What was ended between the look and the kill was not lost.
        self.lost = list(self.notes.at_work(self.node.node_id))
        print(f"{self.parts} parts are there; at work on the second node (part, process): {at_work}", flush=True)
        print(f"the second node is killed; begun there and never ended: {self.lost}", flush=True)


def main() -> int:
    """Show it."""
    import ray
    from ray.cluster_utils import Cluster

    artifact, data = Path(sys.argv[1]), Path(sys.argv[2])
    how = labelling(artifact, top=5, reduced=0)
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one.jsonl"), Path(folder, "two.jsonl")
        classify(Asked(data=data, out=one, how=how, processes=1, together=TOGETHER), Silent())
        notes = Notes(Path(folder, "notes.txt"))
        os.environ[NOTES] = str(Path(folder, "notes.txt"))
        vars(cluster)["Worker"] = Noting
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        second = nodes.add_node(num_cpus=1)
        ray.init(address=nodes.address, log_to_driver=False, logging_level="error")
        print(f"a cluster of {len(ray.nodes())} nodes", flush=True)
        asked = Asked(data=data, out=two, how=how, ray=nodes.address, together=TOGETHER)
        killer = Killer(nodes, second, notes)
        done = classify(asked, killer)
        alive = sum(node["Alive"] for node in ray.nodes())
        for lost, first in killer.lost:
            for event, part, pid, node in notes.read():
                if part == lost and pid != first:
                    where = "second" if node == second.node_id else "first"
                    print(f"part {part}: process {pid} of the {where} node {event} it", flush=True)
        ray.shutdown()
        nodes.shutdown()
        names = [json.loads(line)["path"] for line in two.read_text(encoding="utf-8").splitlines()]
        images = len(list(every_picture(data)))
        print(f"{alive} node is left; {images} images, {done.images} rows, {len(set(names))} of different images")
        same = one.read_bytes() == two.read_bytes()
        print(f"the file is {'the very one' if same else 'NOT the one'} that one process writes")
    return 0 if killer.lost and same and len(names) == len(set(names)) == images else 1


if __name__ == "__main__":
    sys.exit(main())
