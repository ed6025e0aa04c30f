"""An artifact in one process, and the rows that it answers images with."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from depthwise.edge.artifact import Artifact
from depthwise.edge.decoding import picture
from depthwise.errors import Refused, Unreachable


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """How images are labelled.

    Attributes:
        artifact: the file.
        sha256: of it.
        top: how many labels a row has.
        reduced: a JPEG is decoded at the smallest of 1, 1/2, 1/4 and 1/8 of its size whose sides are so many times
            what the network resizes to; 0 to decode it whole.
    """

    artifact: Path
    sha256: str
    top: int = 5
    reduced: float = 0.0


@dataclass(frozen=True)
class Part:
    """Images that are labelled together; `names` are theirs within the data, one a path."""

    number: int
    paths: tuple[Path, ...]
    names: tuple[str, ...]


@dataclass
class Rows:
    """Columns of the result, a value an image in each; an image without a label has a reason instead."""

    path: list[str] = field(default_factory=list)
    label: list[str | None] = field(default_factory=list)
    probability: list[float | None] = field(default_factory=list)
    top_labels: list[list[str]] = field(default_factory=list)
    top_probabilities: list[list[float]] = field(default_factory=list)
    reason: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.path)

    @property
    def failed(self) -> int:
        """Images without a label."""
        return sum(one is not None for one in self.reason)

    def add(self, name: str, best: Sequence[tuple[str, float]], reason: str | None = None) -> None:
        """One image: the likeliest labels first, or none and the reason."""
        self.path.append(name)
        self.label.append(best[0][0] if best else None)
        self.probability.append(best[0][1] if best else None)
        self.top_labels.append([label for label, _ in best])
        self.top_probabilities.append([probability for _, probability in best])
        self.reason.append(reason)


class Labeller:
    """An open artifact that answers parts.

    Raises: Refused, when it cannot be opened, or is another file than when the work began.
    """

    def __init__(self, how: Labelling) -> None:
        self._artifact = Artifact.open(how.artifact, sha256=how.sha256)
        self._top = min(how.top, len(self._artifact.labels))
        self._least = least_side(self._artifact, how.reduced)

    def answer(self, part: Part) -> Rows:
        """A row for each image, in the order of the part."""
        rows = Rows()
        for path, name in zip(part.paths, part.names, strict=True):
            try:
                rows.add(name, self._best(path))
            except Unreachable:
                raise
            except Refused as refusal:
                # Without the folder, which another machine may call otherwise.
                reason = str(refusal).replace(str(path), name)
                rows.add(name, (), reason.encode("utf-8", "backslashreplace").decode())
        return rows

    def _best(self, path: Path) -> list[tuple[str, float]]:
        artifact = self._artifact
        probabilities = artifact.label(picture(path, artifact.input_shape[2], least=self._least))
        # Of equal ones the first, as `depthwise run` has it.
        best = heapq.nlargest(self._top, range(len(probabilities)), key=probabilities.__getitem__)
        return [(artifact.labels[index], probabilities[index]) for index in best]

    def close(self) -> None:
        """Give the artifact back."""
        self._artifact.close()


def least_side(artifact: Artifact, reduced: float) -> int | None:
    """How short the sides of a JPEG may become by decoding it at a fraction of its size; None for not at all.

    Raises: Refused, when the artifact does not say what it resizes to.
    """
    if not reduced:
        return None
    described = artifact.record.get("preprocessing")
    resize = described.get("resize") if isinstance(described, dict) else None
    if not isinstance(resize, int) or resize < 1:
        raise Refused(f"{artifact.name}: does not say what it resizes pictures to; leave --reduced away")
    return max(1, round(reduced * resize))
