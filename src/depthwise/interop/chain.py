"""What a foreign file is read into: a chain of plain operations, each of which knows its place in the file.

Readers translate their own operations into these and nothing else; what the chain means as a network is decided once,
in `units` and `match`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from depthwise.errors import Refused
from depthwise.network.layers import Padding
from depthwise.network.weights import Array

# MobileNet V1 has 28 convolutions, each with at most five operations around it; a file beyond that is not one.
MOST_OPERATIONS = 400
# All numbers of one file: the network at width 3.9, and 256 MiB as float32.
MOST_NUMBERS = 2**26
NO_PADDING = Padding()


@dataclass(frozen=True, kw_only=True)
class Levels:
    """What the bytes of a quantised value stand for: `(byte - zero) * scale`, signed bytes counted from -128."""

    scale: float
    zero: int


@dataclass(frozen=True, kw_only=True)
class Integers:
    """The int8 numbers behind a float weight: `(weight - zero) * scales`, with one scale or (N,).

    Unsigned bytes are counted from -128, and so is their zero point.
    """

    weight: Array
    scales: Array
    zero: int = 0

    @property
    def factors(self) -> Array:
        """`weight - zero`, int16."""
        return np.asarray(self.weight.astype(np.int16) - np.int16(self.zero))

    @classmethod
    def of(cls, weight: Array, scales: Array, zeros: Array) -> Integers | None:
        """What a file's numbers are, or None where they are no bytes with one zero point.

        Args:
            zeros: one or one a channel; empty for 0.
        """
        least = {"int8": 0, "uint8": 128}.get(weight.dtype.name)
        zero = int(zeros.flat[0]) if zeros.size else 0
        if least is None or (zeros != zero).any() or not -128 <= zero - least <= 127:
            return None
        signed = weight if not least else (weight ^ 128).view(np.int8)
        return cls(weight=signed, scales=scales.reshape(-1).astype(np.float64), zero=zero - least)


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution; `weight` is (N, C, K, K), or (C, 1, K, K) where `depthwise`; `bias` is (N,) or None."""

    where: str
    weight: Array
    bias: Array | None = None
    stride: tuple[int, int] = (1, 1)
    padding: Padding | Literal["same"] = NO_PADDING
    depthwise: bool = False
    integers: Integers | None = None


@dataclass(frozen=True, kw_only=True)
class Pad:
    """Rows and columns of zeros."""

    where: str
    padding: Padding


@dataclass(frozen=True, kw_only=True)
class Affine:
    """`x * scale + shift`, each one number or (C,)."""

    where: str
    scale: Array
    shift: Array


@dataclass(frozen=True, kw_only=True)
class Norm:
    """Batch normalisation with running statistics; every array is (C,)."""

    where: str
    weight: Array
    bias: Array
    mean: Array
    variance: Array
    epsilon: float


@dataclass(frozen=True, kw_only=True)
class Clamp:
    """Values outside `low` to `high` become the nearer of the two."""

    where: str
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Saturation:
    """A value that becomes a byte, and cannot leave `low` to `high`; where a file has no activation, this is it."""

    where: str
    levels: Levels

    @property
    def low(self) -> float:
        """What byte 0 stands for."""
        return -self.levels.zero * self.levels.scale

    @property
    def high(self) -> float:
        """What byte 255 stands for."""
        return (255 - self.levels.zero) * self.levels.scale


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The mean over a window, or over the whole image where `kernel` is None; the sum instead where `total`.

    Where there are `integers`, all 1, it is a sum, too, times their scales, plus `bias` (N,) or None.
    """

    where: str
    kernel: tuple[int, int] | None = None
    total: bool = False
    integers: Integers | None = None
    bias: Array | None = None


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A matrix product; `weight` is (N, C)."""

    where: str
    weight: Array
    bias: Array | None = None
    integers: Integers | None = None


@dataclass(frozen=True, kw_only=True)
class Reshape:
    """Rows, columns and channels as one line; only where there is one pixel are those the channels in their order."""

    where: str


@dataclass(frozen=True, kw_only=True)
class Reorder:
    """Channels in another order: place c gets channel `order[c]`."""

    where: str
    order: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Copies:
    """The one channel of a grey picture, so many times."""

    where: str
    times: int


@dataclass(frozen=True, kw_only=True)
class Softmax:
    """Probabilities from sums, or their logarithms."""

    where: str


@dataclass(frozen=True, kw_only=True)
class Sigmoid:
    """Each sum as a probability of its own."""

    where: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The number of the class with the largest sum."""

    where: str


Operation = (
    Convolution
    | Pad
    | Affine
    | Norm
    | Clamp
    | Saturation
    | Pool
    | Dense
    | Reshape
    | Reorder
    | Copies
    | Softmax
    | Sigmoid
    | Choice
)


@dataclass(kw_only=True)
class Chain:
    """The operations of one file, in the order in which data flows.

    Attributes:
        height, width, channels: of the input; None where the file leaves it open.
        offset: what is added to a pixel, 0 to 255, to become the input's whole number; None where it takes real ones.
        turned: whether rows become columns before the first convolution.
        square, filter: how the file itself makes pictures of any size square, as `Source` has them.
        unread: names and shapes of arrays that the file holds and no operation of the chain reads.
    """

    height: int | None
    width: int | None
    channels: int | None
    offset: int | None = None
    turned: bool = False
    square: str = ""
    filter: str = ""
    unread: tuple[str, ...] = ()
    operations: list[Operation] = field(default_factory=list)
    _numbers: int = 0

    @property
    def padding(self) -> str:
        """What TensorFlow's and Keras's files mean by zeros that fit several rules: those put there apart are Keras's.

        keras.applications has a ZeroPadding2D before its convolutions of stride 2, and a converter leaves it as a PAD;
        networks that are made for SAME say so in the convolution itself.
        """
        return "keras" if any(isinstance(operation, Pad) for operation in self.operations) else "same"

    def add(self, operation: Operation) -> None:
        """Append one operation.

        Raises: Refused, when the file has more of them, or more numbers in them, than any MobileNet V1.
        """
        weight = getattr(operation, "weight", None)
        self._numbers += 0 if weight is None else weight.size
        if len(self.operations) >= MOST_OPERATIONS:
            raise Refused(f"{operation.where}: more than {MOST_OPERATIONS} operations; MobileNet V1 has fewer")
        if self._numbers > MOST_NUMBERS:
            raise Refused(f"{operation.where}: more than {MOST_NUMBERS:,} weights up to here; no such network is read")
        self.operations.append(operation)
