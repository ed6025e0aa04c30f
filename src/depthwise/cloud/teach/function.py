"""A teacher that is a function of torch: `module:function`, which returns any network the user has."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from depthwise.cloud.teach.teacher import VIEWS, Floats, Pixels, mirrored
from depthwise.edge.pixels import prepare
from depthwise.errors import Refused

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
# Side of the pictures where the network does not say one.
SIDE = 224


@dataclass(frozen=True)
class FunctionSource:
    """`module:function`, found in the current folder or where Python finds modules.

    The function is called without arguments and returns a `torch.nn.Module`, which is given (B, 3, S, S) float32
    pictures in RGB from 0 to 1 and returns (B, numbers). S is its attribute `side`, or 224. Where its attribute
    `labels` names the classes of the student, in any order, the numbers are their logits; else they are features.
    """

    name: str
    student: tuple[str, ...]

    @property
    def key(self) -> str:
        """Of the weights, and of the name: what the code around them does is not looked at."""
        found = hashlib.sha256(self.name.encode())
        network = self._made()
        for name, tensor in network.state_dict().items():
            found.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
        return f"function {found.hexdigest()} {_side(network)} {_labels(network, self.student)}"

    def open(self, frames: Sequence[Pixels], threads: int) -> FunctionTeacher:
        """The network, ready to look."""
        return FunctionTeacher(self.name, self._made(), self.key, self.student)

    def _made(self) -> nn.Module:
        module, _, function = self.name.partition(":")
        if "" not in sys.path:
            sys.path.insert(0, "")
        try:
            maker: Callable[[], object] = getattr(importlib.import_module(module), function)
            network = maker()
        except Exception as problem:
            reason = " ".join(str(problem).split())[:200] or type(problem).__name__
            raise Refused(f"--distill {self.name}: cannot be called ({reason}); it must take no arguments") from None
        if not isinstance(network, nn.Module):
            raise Refused(f"--distill {self.name}: returned {type(network).__name__}; return a torch.nn.Module")
        return network.eval()


class FunctionTeacher:
    """A network of torch that looks at pictures."""

    def __init__(self, name: str, network: nn.Module, key: str, student: tuple[str, ...]) -> None:
        self.name, self.key, self.channels = name, key, 3
        self._network, self._side, self._lock = network, _side(network), threading.Lock()
        self.labels = _labels(network, student)
        self.width = self._asked(torch.zeros(1, 3, self._side, self._side)).shape[1]
        if self.labels and self.width != len(self.labels):
            raise Refused(f"--distill {name}: has {len(self.labels)} labels and returns {self.width} numbers")
        self.about = f"{'its answers' if self.labels else 'a head on its numbers'} at {self._side} px"

    def look(self, frames: Sequence[Pixels]) -> Floats:
        """(B, VIEWS, width) numbers of decoded pictures (H, W, 3) of any size."""
        squares = [prepare(frame, resize=self._side, crop=self._side) for frame in frames]
        views = np.stack([view for square in squares for view in (square, mirrored(square))])
        x = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255
        with self._lock:
            found = self._asked(x).reshape(len(frames), VIEWS, self.width)
        return (found.log_softmax(2) if self.labels else found).numpy()

    def close(self) -> None:
        """Nothing to give back."""

    @torch.no_grad()
    def _asked(self, x: Tensor) -> Tensor:
        try:
            found = self._network(x)
        except Exception as problem:
            reason = " ".join(str(problem).split())[:200] or type(problem).__name__
            raise Refused(f"--distill {self.name}: fails on pictures of {self._side} px ({reason})") from None
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(x):
            raise Refused(f"--distill {self.name}: must return (pictures, numbers) for (pictures, 3, side, side)")
        return found.float()


def _side(network: nn.Module) -> int:
    side = getattr(network, "side", SIDE)
    return side if isinstance(side, int) and side > 0 else SIDE


def _labels(network: nn.Module, student: tuple[str, ...]) -> tuple[str, ...]:
    """The labels of the network where they are the student's."""
    found = getattr(network, "labels", ())
    own = tuple(found) if isinstance(found, list | tuple) and all(isinstance(name, str) for name in found) else ()
    return own if set(own) == set(student) else ()
