"""Processor seconds of `depthwise classify` beside a plain loop over the same photos, and what --reduced changes.

    python scripts/measure_classify.py model.so photos [rounds]

Both are measured one after the other in each round, in one process, so that what else runs slows both alike.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from depthwise.data.unlabelled import every_picture
from depthwise.edge.artifact import Artifact
from depthwise.edge.decoding import picture
from depthwise.jobs.classify.classify import Asked, classify, labelling
from depthwise.jobs.classify.labels import least_side
from depthwise.progress import Silent

FRACTIONS = (1.0, 1.5, 2.0, 3.0)


def plain(path: Path, photos: list[Path]) -> float:
    """Seconds of the loop that anyone would write."""
    began = time.process_time()
    with Artifact.open(path) as artifact:
        for photo in photos:
            shares = artifact.label(picture(photo))
            artifact.labels[max(range(len(shares)), key=shares.__getitem__)]
    return time.process_time() - began


def ours(path: Path, data: Path, out: Path) -> float:
    """Seconds of the command's job."""
    began = time.process_time()
    how = labelling(path, top=5, reduced=0)
    classify(Asked(data=data, out=out, how=how, processes=1, force=True), Silent())
    return time.process_time() - began


def reduced(path: Path, photos: list[Path]) -> None:
    """How many photos of those that are decoded at a fraction keep their label, and what that saves."""
    with Artifact.open(path) as artifact:

        def look(least: int | None) -> tuple[list[int], list[tuple[int, int]], float]:
            """Labels, sizes as decoded, and milliseconds of processor time a photo."""
            labels, sizes, seconds = [], [], 0.0
            for photo in photos:
                began = time.process_time()
                decoded = picture(photo, least=least)
                shares = artifact.label(decoded)
                seconds += time.process_time() - began
                labels.append(max(range(len(shares)), key=shares.__getitem__))
                sizes.append(decoded.size)
            return labels, sizes, 1000 * seconds / len(photos)

        labels, sizes, whole = look(None)
        print(f"whole: {whole:.2f} ms a photo")
        for fraction in FRACTIONS:
            others, smaller, taken = look(least_side(artifact, fraction))
            changed = [at for at, size in enumerate(smaller) if size != sizes[at]]
            same = sum(others[at] == labels[at] for at in changed)
            print(f"--reduced {fraction:g}: {taken:.2f} ms; {len(changed)} photos reduced, {same} with the same label")


def main() -> int:
    """Measure both."""
    path, data = Path(sys.argv[1]), Path(sys.argv[2])
    photos = list(every_picture(data))
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 5):
            loop = plain(path, photos)
            ratios.append(ours(path, data, Path(folder, "out.jsonl")) / loop)
            print(f"{len(photos)} photos: loop {loop:.2f} s, classify {ratios[-1]:.3f} of it", flush=True)
    print(f"median {statistics.median(ratios):.3f}")
    reduced(path, photos)
    return 0


if __name__ == "__main__":
    sys.exit(main())
