"""Where one network is measured: its images and files, its workers, and our answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from depthwise.bench.agreement import Answers
from depthwise.bench.peers import Setting
from depthwise.bench.process import Worker
from depthwise.bench.subject import Subject, comparison_images, write_images
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model

Notice = Callable[[str], None]


class Workplace:
    """A folder with what all contenders need.

    Attributes:
        subject: the network.
        folder: for its files.
        pixels: the images; the last is timed.
        notice: tells what goes on.
        artifact: the file of the artifact, once there is one.
    """

    def __init__(self, subject: Subject, folder: Path, notice: Notice) -> None:
        self.subject, self.folder, self.notice = subject, folder, notice
        self.pixels = comparison_images(subject.model.spec)
        self.artifact: Path | None = None
        self._images = folder / "images.npy"
        self._answers: Answers | None = None
        write_images(self.pixels, self._images)

    def worker(self, name: str, form: str, path: Path, threads: int) -> Worker:
        """Load a network in a process of its own.

        Raises: Refused, when that does not work.
        """
        mean = self.subject.model.preprocessing.mean
        setting = Setting(form=form, precision=self.subject.precision, threads=threads, mean=mean)
        return Worker(name, path, setting, self._images)

    def keep(self, path: Path, answers: Answers) -> None:
        """Take the artifact's answers for ours."""
        self.artifact, self._answers = path, answers

    def ours(self) -> Answers:
        """Our answers (images, classes): the artifact's, or where there is none the oracle's."""
        if self._answers is None:
            self.notice(f"{self.subject.name}: no artifact, so answers are compared with the oracle ...")
            model = self.subject.model
            if isinstance(model, Model):
                found = reference.run(model, self.pixels).probabilities
            else:
                found = reference_int8.run(model, self.pixels).probabilities
            self._answers = np.asarray(found, np.float64)
        return self._answers
