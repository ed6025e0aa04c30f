"""What happens to pictures without an enemy: noise, blur, JPEG, light and a camera that was moved, in five strengths.

The kinds are among those of arXiv:1903.12261, the strengths this project's own; they are made at the size that the
network gets, so that they mean the same at every resolution.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from depthwise.attack.draws import Draws
from depthwise.attack.subject import Ints, Subject, answers
from depthwise.evaluate.metrics import Share
from depthwise.progress import Reporter

Pixels = NDArray[np.uint8]
# Of each kind, from the weakest to the strongest.
STRENGTHS: dict[str, tuple[float, ...]] = {
    "noise": (6, 10, 15, 22, 32),  # standard deviation, levels
    "blur": (0.012, 0.02, 0.03, 0.045, 0.065),  # radius, of the side
    "jpeg": (70, 50, 35, 22, 12),  # quality
    "brightness": (20, 35, 50, 70, 90),  # levels, up or down
    "contrast": (0.75, 0.55, 0.4, 0.28, 0.18),  # what is left of the distance from the mean
    "rotation": (5, 10, 16, 23, 32),  # degrees, to either side
    "shift": (0.04, 0.08, 0.12, 0.17, 0.23),  # of the side, in either direction
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Corrupted:
    """Accuracy without and with each kind of change, by strength.

    Attributes:
        clean: as the images are.
        shares: by kind, from the weakest to the strongest.
    """

    clean: Share
    shares: dict[str, tuple[Share, ...]]

    @property
    def mean(self) -> float:
        """Over all kinds and strengths."""
        all_ = [share.share for shares in self.shares.values() for share in shares]
        return sum(all_) / len(all_)


def measure(judge: Subject, images: Pixels, labels: Ints, draws: Draws, reporter: Reporter) -> Corrupted:
    """Accuracy under every kind and strength, on all images."""
    found: dict[str, tuple[Share, ...]] = {}
    reporter.begin("corruptions", len(STRENGTHS) * 5)
    try:
        for kind in STRENGTHS:
            shares = []
            for strength in range(1, 6):
                shares.append(_share(judge, corrupted(kind, strength, images, draws), labels))
                reporter.advance()
            found[kind] = tuple(shares)
    finally:
        reporter.end()
    return Corrupted(clean=_share(judge, images, labels), shares=found)


def corrupted(kind: str, strength: int, images: Pixels, draws: Draws) -> Pixels:
    """Changed images (N, H, W, C).

    Args:
        kind: one of `STRENGTHS`.
        strength: 1 to 5.
    """
    amount = STRENGTHS[kind][strength - 1]
    # The same draws at every strength, so that a stronger change is more of the same.
    drawn = draws.uniform(kind, (2,), -1, 1)
    if kind == "noise":
        noise = draws.normal("noise of pixels", images.shape[1:])
        return _bytes(images + amount * noise)
    function = _ONE[kind]
    return np.stack([function(image, amount, chance) for image, chance in zip(images, drawn, strict=True)])


def _share(judge: Subject, images: Pixels, labels: Ints) -> Share:
    return Share(int((answers(judge.scores(images)) == labels).sum()), len(labels))


def _bytes(values: NDArray[np.floating]) -> Pixels:
    found: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return found


def _blur(image: Pixels, amount: float, _: NDArray[np.float32]) -> Pixels:
    blurred = _picture(image).filter(ImageFilter.GaussianBlur(amount * image.shape[0]))
    return np.array(blurred).reshape(image.shape)


def _jpeg(image: Pixels, amount: float, _: NDArray[np.float32]) -> Pixels:
    content = io.BytesIO()
    _picture(image).save(content, "JPEG", quality=int(amount))
    with Image.open(content) as opened:
        return np.array(opened).reshape(image.shape)


def _brightness(image: Pixels, amount: float, chance: NDArray[np.float32]) -> Pixels:
    return _bytes(image.astype(np.float32) + (amount if chance[0] > 0 else -amount))


def _contrast(image: Pixels, amount: float, _: NDArray[np.float32]) -> Pixels:
    mean = image.mean(axis=(0, 1), keepdims=True)
    return _bytes(mean + amount * (image - mean))


def _rotation(image: Pixels, amount: float, chance: NDArray[np.float32]) -> Pixels:
    # The border goes on beyond the picture, so that no black corners come in.
    side = image.shape[0]
    wide = _picture(np.pad(image, ((side // 2,) * 2, (side // 2,) * 2, (0, 0)), mode="reflect"))
    turned = wide.rotate(amount if chance[0] > 0 else -amount, Image.Resampling.BILINEAR)
    first = side // 2
    return np.array(turned).reshape(*turned.size[::-1], -1)[first : first + side, first : first + side]


def _shift(image: Pixels, amount: float, chance: NDArray[np.float32]) -> Pixels:
    by = [round(amount * image.shape[0]) * (1 if one > 0 else -1) for one in chance]
    most = max(map(abs, by))
    wide = np.pad(image, ((most,) * 2, (most,) * 2, (0, 0)), mode="reflect" if most < image.shape[0] else "edge")
    top, left = most + by[0], most + by[1]
    return wide[top : top + image.shape[0], left : left + image.shape[1]]


def _picture(image: Pixels) -> Image.Image:
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


_ONE: dict[str, Callable[[Pixels, float, NDArray[np.float32]], Pixels]] = {
    "blur": _blur,
    "jpeg": _jpeg,
    "brightness": _brightness,
    "contrast": _contrast,
    "rotation": _rotation,
    "shift": _shift,
}
