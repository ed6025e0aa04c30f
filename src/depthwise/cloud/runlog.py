"""The records of a run, in its folder: JSON lines, and curves for TensorBoard where they are asked for."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthwise.errors import Refused
from depthwise.files import read_file

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

NAME = "log.jsonl"
# Bytes; an epoch has some 400, and there are 100,000 at most.
LONGEST = 2**26
# Where each figure of an epoch stands in TensorBoard, which draws figures with the same first word side by side.
PLACES = {
    "loss": "loss/training", "validation_loss": "loss/validation", "train_top1": "top-1/training",
    "top1": "top-1/validation", "top5": "top-5/validation", "robust_top1": "top-1/under attack", "rate": "rate",
    "resolution": "resolution",
}  # fmt: skip


class RunLog:
    """Appends to `log.jsonl` of a folder, one JSON object a line; `event` says what each is about.

    Args:
        tensorboard: also write the figures of each epoch into `tensorboard` in the folder.

    Raises: Refused, when TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self.path = folder / NAME
        self._curves = _curves(folder / "tensorboard") if tensorboard else None

    def write(self, event: str, **fields: Any) -> None:
        """Append one line, at once.

        Raises: Refused, when there is no room for it.
        """
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        line = json.dumps({"event": event, "time": now, **fields})
        try:
            with self.path.open("ab+") as file:
                # What a kill cut off in the middle must not spoil the line that follows.
                if file.tell() and not self._ends_whole(file.tell()):
                    line = "\n" + line
                file.write(f"{line}\n".encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise Refused(f"{self.path}: cannot be written ({problem.strerror}); free some space") from None

    def _ends_whole(self, size: int) -> bool:
        with self.path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) == b"\n"

    def epoch(self, entry: Mapping[str, Any]) -> None:
        """Append the figures of an epoch, which is counted from 0 in `entry` and from 1 in the log."""
        number = entry["epoch"] + 1
        self.write("epoch", **{**entry, "epoch": number})
        if self._curves is not None:
            for figure, place in PLACES.items():
                if figure in entry:
                    self._curves.add_scalar(place, entry[figure], number)
            self._curves.flush()

    def epochs(self) -> list[Mapping[str, Any]]:
        """The figures of all epochs so far; a run that was killed may have written one twice."""
        found: dict[int, Mapping[str, Any]] = {}
        for line in self._lines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut off by a kill
            if entry.get("event") == "epoch":
                found[entry["epoch"]] = entry
        return [found[number] for number in sorted(found)]

    def _lines(self) -> list[str]:
        """All lines so far, none of a log that is not there.

        Raises: Refused, when it cannot be read, or is longer than the log of any run.
        """
        try:
            return read_file(self.path, LONGEST).decode(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise Refused(f"{self.path}: cannot be read ({problem.strerror}); move it away") from None


def _curves(folder: Path) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError:
        raise Refused("--tensorboard needs TensorBoard, which is not installed; run: pip install tensorboard") from None
    return SummaryWriter(str(folder))
