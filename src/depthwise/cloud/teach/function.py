"""A teacher that is a function of torch: `module:function`, which returns any network the user has."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import threading
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from depthwise.cloud.teach.teacher import VIEWS, Floats, Pixels, mirrored
from depthwise.edge.pixels import prepare
from depthwise.errors import Refused

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
# Side of the pictures where the network does not say one.
SIDE = 224
# How far the sum of probabilities may be from 1, and the least of them that counts.
ONE, LEAST = 1e-3, 1e-7


class FunctionTeacher:
    """`module:function`, found in the current folder or where Python finds modules.

    The function is called without arguments and returns a `torch.nn.Module`, which is given (B, 3, S, S) float32
    pictures in RGB from 0 to 1 and returns (B, numbers). S is its attribute `side`, or 224. Where its attribute
    `labels` names the classes of the student, in any order, the numbers are their logits or their
    probabilities; else they are features.

    Its key is of the weights and of the name: what the code around them does is not looked at.

    Args:
        student: the classes of the student.
    Raises: Refused, when there is no such function, or what it returns is no such network.
    """

    def __init__(self, name: str, student: tuple[str, ...]) -> None:
        self.name, self.channels = name, 3
        self._network, self._lock = _made(name), threading.Lock()
        side, labels = (getattr(self._network, field, None) for field in ("side", "labels"))
        self._side: int = side if isinstance(side, int) and side > 0 else SIDE
        own = tuple(labels) if isinstance(labels, list | tuple) else ()
        self.labels: tuple[str, ...] = own if set(own) == set(student) else ()
        noise = torch.rand(4, 3, self._side, self._side, generator=torch.Generator().manual_seed(0))
        found = self._asked(noise)
        self.width = found.shape[1]
        # A softmax of probabilities would say nearly the same of every class.
        self._ended = bool(self.labels) and bool((found >= 0).all()) and bool(((found.sum(1) - 1).abs() < ONE).all())
        if self.labels and self.width != len(self.labels):
            raise Refused(f"--distill {name}: has {len(self.labels)} labels and returns {self.width} numbers")
        self.about = f"{'its answers' if self.labels else 'a head on its numbers'} at {self._side} px"
        self.key = f"function {_digest(name, self._network)} {self._side} {self.labels}{' ended' * self._ended}"

    said = ""

    def open(self, frames: Sequence[Pixels], threads: int) -> FunctionTeacher:
        """Itself: it is ready to look."""
        return self

    def look(self, frames: Sequence[Pixels]) -> Floats:
        """(B, VIEWS, width) numbers of decoded pictures (H, W, 3) of any size."""
        squares = [prepare(frame, resize=self._side, crop=self._side) for frame in frames]
        views = np.stack([view for square in squares for view in (square, mirrored(square))])
        x = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255
        with self._lock:
            found = self._asked(x).reshape(len(frames), VIEWS, self.width)
        if self.labels:
            found = found.clamp(min=LEAST).log() if self._ended else found.log_softmax(2)
        return found.numpy()

    def close(self) -> None:
        """Nothing to give back."""

    @torch.no_grad()
    def _asked(self, x: Tensor) -> Tensor:
        try:
            found = self._network(x)
        except (Exception, SystemExit) as problem:
            reason = " ".join(str(problem).split())[:200] or type(problem).__name__
            raise Refused(f"--distill {self.name}: fails on pictures of {self._side} px ({reason})") from None
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(x):
            raise Refused(f"--distill {self.name}: must return (pictures, numbers) for (pictures, 3, side, side)")
        return found.float()


def _made(name: str) -> nn.Module:
    module, _, function = name.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        called = getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as problem:
        reason = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise Refused(f"--distill {name}: cannot be imported from here ({reason})") from None
    try:
        network = called()
    except (Exception, SystemExit) as problem:
        reason = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise Refused(f"--distill {name}: cannot be called without arguments ({reason})") from None
    if not isinstance(network, nn.Module):
        raise Refused(f"--distill {name}: returned {type(network).__name__}; it must return a torch.nn.Module")
    return network.eval()


def _digest(name: str, network: nn.Module) -> str:
    found = hashlib.sha256(name.encode())
    for key, tensor in network.state_dict().items():
        found.update(key.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
