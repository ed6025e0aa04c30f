"""The one table of layers: everything else in this project walks over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from depthwise.errors import Refused
from depthwise.network.spec import BLOCKS, SHALLOW_LEAVES_OUT, STEM_CHANNELS, Spec, scaled

Kind = Literal["stem", "depthwise", "pointwise", "standard", "pool", "classifier"]
KINDS: tuple[Kind, ...] = ("stem", "depthwise", "pointwise", "standard", "pool", "classifier")

# Blocks per stage in timm, whose names `blocks.<stage>.<index>` we keep: a stage ends where the channels change.
_STAGES = tuple(sum(channels == wanted for _, channels in BLOCKS) for wanted in (64, 128, 256, 512, 1024))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Height, width and channels of one image or activation."""

    height: int
    width: int
    channels: int

    @property
    def size(self) -> int:
        """Number of values."""
        return self.height * self.width * self.channels

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True, kw_only=True)
class Padding:
    """Rows and columns of zeros on each side of the input of a convolution."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One row of the table.

    Attributes:
        name: the name of the weight without `.weight`, as in timm where timm has one.
        kind: what the layer computes. Every kind with a `norm` is followed by the activation.
        input, output: shapes of one image.
        kernel, stride: 1 or 3, 1 or 2; a pool's kernel is its whole (square) input.
        padding: zeros around the input.
        norm: name of the batch normalisation that follows, or "" where there is none.
    """

    name: str
    kind: Kind
    input: Shape
    output: Shape
    kernel: int = 1
    stride: int = 1
    padding: Padding = Padding()
    norm: str = ""


def layers(spec: Spec) -> tuple[Layer, ...]:
    """The table of one network, in the order in which data flows.

    Source: arXiv:1704.04861 Table 1; names as in timm's `mobilenetv1_100`.
    """
    shape = Shape(height=spec.resolution, width=spec.resolution, channels=spec.channels)
    stem = scaled(STEM_CHANNELS, spec.width, spec.rounding)
    rows = [_convolution("conv_stem", "stem", shape, stem, _stride(spec, 0, 2), spec, "bn1")]
    for number, place in enumerate(_places(), start=1):
        if spec.shallow and number in SHALLOW_LEAVES_OUT:
            continue
        stride, channels = BLOCKS[number - 1]
        stride, channels = _stride(spec, number, stride), scaled(channels, spec.width, spec.rounding)
        shape = rows[-1].output
        if spec.convolution == "standard":
            rows.append(_convolution(f"{place}.conv", "standard", shape, channels, stride, spec, f"{place}.bn1"))
            continue
        rows.append(_convolution(f"{place}.conv_dw", "depthwise", shape, shape.channels, stride, spec, f"{place}.bn1"))
        middle = rows[-1].output
        output = Shape(height=middle.height, width=middle.width, channels=channels)
        rows.append(Layer(name=f"{place}.conv_pw", kind="pointwise", input=middle, output=output, norm=f"{place}.bn2"))
    last = rows[-1].output
    pooled = Shape(height=1, width=1, channels=last.channels)
    scores = Shape(height=1, width=1, channels=spec.classes)
    rows.append(Layer(name="global_pool", kind="pool", input=last, output=pooled, kernel=last.height))
    rows.append(Layer(name="classifier", kind="classifier", input=pooled, output=scores))
    return tuple(rows)


def _places() -> tuple[str, ...]:
    """`blocks.<stage>.<index>` of the 13 blocks."""
    return tuple(f"blocks.{stage}.{index}" for stage, count in enumerate(_STAGES) for index in range(count))


def _stride(spec: Spec, number: int, stride: int) -> int:
    return 1 if number in spec.unit_strides else stride


def _convolution(name: str, kind: Kind, shape: Shape, channels: int, stride: int, spec: Spec, norm: str) -> Layer:
    """A row with a 3x3 kernel, padded as the network asks."""
    padding = spec.padding
    if padding == "keras":
        padding = "same" if kind == "stem" else "end"
    height, top, bottom = _padded(shape.height, stride, padding)
    width, left, right = _padded(shape.width, stride, padding)
    return Layer(
        name=name,
        kind=kind,
        input=shape,
        output=Shape(height=height, width=width, channels=channels),
        kernel=3,
        stride=stride,
        padding=Padding(top=top, bottom=bottom, left=left, right=right),
        norm=norm,
    )


def _padded(size: int, stride: int, padding: str) -> tuple[int, int, int]:
    """Output size of a 3-wide window and the zeros before and after.

    Source of "same": TensorFlow's `SAME`, which gives the odd zero to the end. Of "end": Keras's
    `ZeroPadding2D(((0, 1), (0, 1)))` before a convolution without padding; a last row that no window reaches is
    counted as a zero row all the same.
    """
    if padding == "end" and stride == 2:
        return size // 2, 0, 1
    if padding in ("symmetric", "end"):
        return (size - 1) // stride + 1, 1, 1
    out = -(-size // stride)
    total = max((out - 1) * stride + 3 - size, 0)
    return out, total // 2, total - total // 2


def multiply_adds(layer: Layer) -> int:
    """Multiply-adds of one layer for one image; bias and activation are not counted (arXiv:1704.04861 section 3.1).

    standard: D_K D_K M N D_F D_F; depthwise: D_K D_K M D_F D_F; pointwise: M N D_F D_F; classifier: M N.
    Source: arXiv:1704.04861 equations 2, 4 and 5.
    """
    match layer.kind:
        case "stem" | "standard" | "pointwise" | "classifier":
            return layer.kernel**2 * layer.input.channels * layer.output.size
        case "depthwise":
            return layer.kernel**2 * layer.output.size
        case "pool":
            return 0
        case kind:
            raise Refused(f"layer {layer.name}: there is no formula for the cost of a {kind}")


def groups(table: tuple[Layer, ...]) -> tuple[tuple[Layer, ...], ...]:
    """What runs as one: a depthwise layer with the pointwise one behind it, or any other layer by itself."""
    found: list[tuple[Layer, ...]] = []
    for layer in table:
        if found and found[-1][-1].kind == "depthwise":
            found[-1] += (layer,)
        else:
            found.append((layer,))
    return tuple(found)
