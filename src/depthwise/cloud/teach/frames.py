"""Pictures for a teacher to look at, decoded when it is their turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depthwise.cloud.teach.teacher import Pixels
from depthwise.data.turns import Turns
from depthwise.edge.pixels import decode


class Frames(Sequence[Pixels]):
    """Decoded pictures (H, W, channels), of which none is kept: of many large ones memory holds one a thread.

    Args:
        turns: what all threads that decode share.
    """

    def __init__(self, paths: Sequence[Path], channels: int, turns: Turns) -> None:
        self._paths, self._channels, self._turns = paths, channels, turns

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: Any) -> Any:
        """The picture at a place, decoded anew.

        Raises: Refused, when it cannot be read any more; IndexError, where there is none.
        """
        path = self._paths[index]
        with self._turns.turn() as admit:
            return decode(path, self._channels, admit)
