"""What a package that `depthwise compile --form wheel` wrote does: its artifact, and a command of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from depthwise.edge.artifact import Artifact
from depthwise.edge.chosen import machine
from depthwise.edge.seeing import seen
from depthwise.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping


class Answer(NamedTuple):
    """A label, its probability, and its number among the labels."""

    label: str
    probability: float
    number: int


class Packaged:
    """The artifact of a package, which is opened when it is used first."""

    def __init__(self, name: str, version: str, file: str, artifacts: Mapping[str, str]) -> None:
        """Of a package in the folder of `file`; artifacts are by what `machine` says."""
        self._name, self._version = name, version
        self._folder, self._artifacts = Path(file).parent, artifacts
        self._opened: Artifact | None = None

    def artifact(self) -> Artifact:
        """The artifact, open as long as the process runs.

        Raises: Refused, when the package holds none for this machine.
        """
        if self._opened is None:
            self._opened = Artifact.open(self._path())
        return self._opened

    def label(self, image: Any) -> Answer:
        """The likeliest label of an image.

        Args:
            image: the path or the bytes of a file, an image of Pillow, an array of bytes (H, W, 3) with red first.
        Raises: Refused, when it cannot be read.
        """
        return self.top(image, 1)[0]

    def top(self, image: Any, count: int = 5) -> list[Answer]:
        """The likeliest labels of an image, the likeliest first; of equal ones the first label stands first."""
        artifact = self.artifact()
        probabilities = seen(artifact, image)
        best = sorted(range(len(probabilities)), key=lambda index: -probabilities[index])[:count]
        return [Answer(artifact.labels[index], probabilities[index], index) for index in best]

    def main(self) -> NoReturn:
        """The command of the package: `depthwise-run` with its artifact."""
        from depthwise.edge.command import run_packaged

        run_packaged(self._name, self._version, self._path)

    def _path(self) -> str:
        here = machine()
        if here not in self._artifacts:
            held = ", ".join(sorted(self._artifacts))
            raise Refused(f"{self._name} {self._version} is for {held}, and this is {here}; compile it for this too")
        return str(self._folder / self._artifacts[here])
