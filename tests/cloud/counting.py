"""Trains and tells which pictures this process decoded; a script that torchrun starts.

    python counting.py '{"data": ..., "out": ..., "recipe": {...}, "all": false, "dies": null, "loses": false}'

Prints a line of JSON: the pictures that were decoded for training, in order, and those that were looked at to find
pictures that are alike, by their names within the folder. With `all` each process decodes every picture before the
first step, as one does that is alone. A process that `dies` kills itself in that step, counted from its own first, and
the same call goes on with the run. With `loses` the second process finds no picture any more once it has taken a step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from depthwise.cloud import pictures, session
from depthwise.cloud.learner import Learner
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.train import Run
from depthwise.data import images, likeness, store
from depthwise.errors import Refused
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec
from depthwise.progress import Silent


def mortal(learner: Any, step: int) -> None:
    """Have a learner end its process, at once, in the middle of a step."""
    left, whole = [step], learner.step

    def last(self: Any, batch: Any) -> Any:
        left[0] -= 1
        found = whole(self, batch)
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    learner.step = last


def main() -> None:
    """Train."""
    asked = json.loads(sys.argv[1])
    data = Path(asked["data"])
    torch.set_num_threads(1)
    pictures.save_fed = pictures.save_curves = lambda *_: None  # type: ignore[assignment]
    decoded: list[str] = []
    looked: list[str] = []
    lost: list[bool] = []

    def counted(module: Any, name: str, found: list[str]) -> None:
        whole = getattr(module, name)

        def count(path: Path, *rest: Any, **settings: Any) -> Any:
            if lost:
                raise Refused(f"{path}: is gone")
            found.append(path.relative_to(data).as_posix())
            return whole(path, *rest, **settings)

        setattr(module, name, count)

    counted(store, "decode", decoded)
    counted(likeness, "picture", looked)
    if asked["all"]:
        vars(session)["read_images"] = lambda data, *, crew, **rest: images.read_images(data, **rest)
    if asked["loses"] and os.environ["RANK"] == "1":
        before = Run._look

        def look(run: Run) -> None:
            lost.append(True)
            before(run)

        setattr(Run, "_look", look)  # noqa: B010
    if asked["dies"]:
        mortal(Learner, asked["dies"])
    session.train(
        Request(
            data=data,
            out=Path(asked["out"]),
            spec=Spec(width=0.25, resolution=32, classes=2, shallow=True),
            recipe=Recipe(**asked["recipe"]),
            preprocessing=default_preprocessing(32, 3),
            resume=True,
            checkpoint_seconds=0,
        ),
        Silent(),
    )
    print(json.dumps([decoded, looked]))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
