"""Trains as a JSON line says and lets itself be ended at given steps; a script for the tests of killed runs.

    python driver.py '{"data": ..., "recipe": {...}, "runs": {"out": [{"step": 7, "signal": 9}, {}]}, "int8": false}'

A run has the attempts of its folder. Each is a process of its own that goes on with the run; it is sent its signal when
it has taken as many steps, which are those of the stage that it names, of training where it names none.
One line of JSON is printed: for each attempt of each run the steps taken, how it ended, and what it told. With `int8`
the training is one in int8, from a float model of random weights.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from depthwise.cloud import pictures
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec
from depthwise.quantize.options import Options

# What is quickest: here it matters only that it is the same in each attempt.
QUICK = Options(images=8, rounding="nearest", ranges="minmax", equalise=False, correct_bias=False)


class Steps:
    """A reporter that writes a byte a step, and every notice as a line, into two pipes."""

    def __init__(self, steps: int, notices: int, stage: str) -> None:
        self._steps, self._notices, self._stage, self._counted = steps, notices, stage, False

    def begin(self, title: str, total: int, done: int = 0) -> None:
        self._counted = title.startswith(self._stage)

    def advance(self, **figures: str) -> None:
        if self._counted:
            os.write(self._steps, b".")

    def end(self) -> None:
        pass

    def notice(self, text: str) -> None:
        os.write(self._notices, f"{text}\n".encode())


def attempt(request: Request, stop: dict[str, Any]) -> dict[str, Any]:
    """Train in a child, which is a real process that can really be killed."""
    steps_out, steps_in = os.pipe()
    notices_out, notices_in = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            kept = stop.get("checkpoint_seconds", request.checkpoint_seconds)
            steps = Steps(steps_in, notices_in, stop.get("stage", "epoch"))
            train(replace(request, checkpoint_seconds=kept), steps)
            code = 0
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    os.close(steps_in)
    os.close(notices_in)
    taken = 0
    while os.read(steps_out, 1):
        taken += 1
        if taken == stop.get("step"):
            os.kill(child, stop["signal"])
    status = os.waitpid(child, 0)[1]
    with os.fdopen(notices_out) as file:
        return {"taken": taken, "ended": os.waitstatus_to_exitcode(status), "notices": file.read()}


def main() -> None:
    """Run all attempts."""
    asked = json.loads(sys.argv[1])
    # These networks are too small to share among cores; with 2 it is tried with more.
    torch.set_num_threads(int(os.environ.get("DEPTHWISE_TEST_THREADS", "1")))
    # The first optimizer loads a compiler of PyTorch for some seconds; here instead of in each attempt.
    torch.optim.SGD([torch.zeros(1)])
    # Drawing takes longer than these trainings do.
    pictures.save_fed = pictures.save_curves = lambda *_: None  # type: ignore[assignment]
    usual = default_preprocessing(32, 3)
    spec = Spec(width=0.25, resolution=32, classes=2, shallow=True)
    source = Model(spec=spec, weights=random_weights(spec), labels=("cat", "dog"), preprocessing=usual)
    int8: dict[str, Any] = {"pretrained": source, "quantize": QUICK} if asked["int8"] else {}
    request = Request(
        data=Path(asked["data"]),
        out=Path(),
        **int8,
        spec=spec,
        recipe=Recipe(**asked["recipe"]),
        preprocessing=usual,
        resume=True,
        distill=asked["distill"],
        checkpoint_seconds=asked["checkpoint_seconds"],
    )
    runs = [(replace(request, out=Path(out)), stops) for out, stops in asked["runs"].items()]
    print(json.dumps([[attempt(run, stop) for stop in stops] for run, stops in runs]))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
