"""Parts on a cluster of Ray: an artifact in every worker of Ray Data; what dies is done again."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.jobs.classify.labels import Labeller, Labelling, Part, Rows

LOCAL = "local"


def on_ray(parts: Iterator[Part], how: Labelling, address: str) -> Iterator[tuple[Part, Rows]]:
    """Each part at least once, as they come; a part whose node died comes from another one.

    Args:
        address: "local" for a cluster of this machine, "auto", host:port, or ray://host:port.
    Raises: Refused, when Ray is not installed, or there is no such cluster.
    """
    try:
        import ray
        import ray.data
    except ModuleNotFoundError:
        raise Refused("--ray needs Ray, which is not installed; run: pip install 'depthwise[ray]'") from None
    if not ray.is_initialized():
        try:
            ray.init(address=None if address == LOCAL else address, log_to_driver=False, logging_level="error")
        except (ConnectionError, ValueError, RuntimeError) as problem:
            raise Refused(f"--ray {address}: there is no such cluster ({problem}); start one by `ray start`") from None
    held = {part.number: part for part in parts}
    if not held:
        return
    ray.data.DataContext.get_current().enable_progress_bars = False
    workers = min(len(held), max(1, int(ray.cluster_resources().get("CPU", 1))))
    rows = [{"part": pickle.dumps(part)} for part in held.values()]
    answered = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        Worker,
        fn_constructor_args=(how, how.artifact.read_bytes()),
        # A pool restarts its workers, and does their parts again, without end.
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    for row in answered.iter_rows():
        yield held[row["number"]], pickle.loads(row["rows"])


class Worker:
    """An artifact in a worker, on whatever node: its bytes come along.

    Args:
        content: of the artifact.
    """

    def __init__(self, how: Labelling, content: bytes) -> None:
        place = Path(tempfile.gettempdir()) / f"depthwise-{hashlib.sha256(content).hexdigest()}{how.artifact.suffix}"
        if not place.exists():
            fresh = place.with_suffix(f".{os.getpid()}.new")
            fresh.write_bytes(content)
            fresh.replace(place)
        # Its digest is looked at when it is opened, whoever wrote the file.
        self._labeller = Labeller(replace(how, artifact=place))

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """The rows of a part."""
        part: Part = pickle.loads(row["part"])
        return {"number": part.number, "rows": pickle.dumps(self._labeller.answer(part))}
