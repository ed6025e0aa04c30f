"""Where one network is measured: its images and files, its workers, and our answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depthwise.bench.agreement import Answers
from depthwise.bench.peers import Setting
from depthwise.bench.process import Worker
from depthwise.bench.subject import Subject, comparison_images, write_images

Notice = Callable[[str], None]


class Workplace:
    """A folder with what all contenders need.

    Attributes:
        subject: the network.
        folder: for its files.
        pixels: the images; the last is timed.
        notice: tells what goes on.
    """

    def __init__(self, subject: Subject, folder: Path, notice: Notice) -> None:
        self.subject, self.folder, self.notice = subject, folder, notice
        self.pixels = comparison_images(subject.model.spec)
        self._images = folder / "images.npy"
        self._ours: tuple[Path, Answers] | None = None
        write_images(self.pixels, self._images)

    def worker(self, name: str, path: Path, threads: int) -> Worker:
        """Load a network in a process of its own.

        Raises: Refused, when that does not work.
        """
        mean = self.subject.model.preprocessing.mean
        setting = Setting(precision=self.subject.precision, threads=threads, mean=mean)
        return Worker(name, path, setting, self._images)

    def keep(self, path: Path, answers: Answers) -> None:
        """Take an artifact and its answers for ours."""
        self._ours = path, answers

    def ours(self) -> tuple[Path, Answers]:
        """The artifact, the first contender that is chosen, and its answers (images, classes)."""
        assert self._ours is not None
        return self._ours
