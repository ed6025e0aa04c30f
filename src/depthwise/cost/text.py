"""How figures are written, on the terminal and on the page: one way for each."""

from __future__ import annotations

from fractions import Fraction

from depthwise.network.layers import Layer
from depthwise.network.spec import Spec
from depthwise.precision import USUAL


def whole(count: int) -> str:
    """All digits: 568,740,352."""
    return f"{count:,}"


def millions(count: int) -> str:
    """Millions, the field's unit: 568.74 M; thousands or none below a hundredth of one, thousands of millions above."""
    if count < 1000:
        return f"{count}"
    if count < 10_000:
        return f"{count / 1e3:.1f} k"
    if count < 10**11:
        return f"{count / 1e6:,.2f} M"
    return f"{count / 1e9:,.2f} G"


def size(count: int) -> str:
    """Bytes in decimal units, as memories and downloads are sold: 16.88 MB."""
    if count < 10_000:
        return f"{count:,} B"
    if count < 10**6:
        return f"{count / 1e3:,.1f} kB"
    if count < 10**9:
        return f"{count / 1e6:,.2f} MB"
    return f"{count / 1e9:,.2f} GB"


def percent(share: Fraction) -> str:
    """A share of 0 to 1 with three decimals: 94.857 %."""
    return f"{float(100 * share):.3f} %"


def times(ratio: Fraction) -> str:
    """How many times less: 8.56×."""
    return f"{float(1 / ratio):.2f}×"


def number(value: float) -> str:
    """A setting as short as it can be: 1, 0.75."""
    return f"{value:g}"


def window(layer: Layer) -> str:
    """Kernel and stride: 3x3 /2; a stride of 1 is not said."""
    if layer.kind == "classifier":
        return ""
    stride = f" /{layer.stride}" if layer.stride > 1 else ""
    return f"{layer.kernel}x{layer.kernel}{stride}"


def title(spec: Spec) -> str:
    """The network in one line."""
    parts = [f"MobileNet V1, α {number(spec.width)}, {spec.resolution}x{spec.resolution}x{spec.channels}"]
    parts.append(f"{spec.classes:,} classes")
    parts += ["standard convolutions"] if spec.convolution == "standard" else []
    parts += ["shallow"] if spec.shallow else []
    parts += [f"stride 1 at {','.join(map(str, spec.unit_strides))}"] if spec.unit_strides else []
    parts += [f"padding {spec.padding}"] if spec.padding != Spec().padding else []
    parts += ["channels cut off"] if spec.rounding != Spec().rounding else []
    return ", ".join(parts)


def command(spec: Spec, precision: str) -> str:
    """The command line that counts this network."""
    words = [f"depthwise cost --width {number(spec.width)} --resolution {spec.resolution} --classes {spec.classes}"]
    words += [f"--channels {spec.channels}"] if spec.channels != Spec().channels else []
    words += [f"--padding {spec.padding}"] if spec.padding != Spec().padding else []
    words += [f"--activation {spec.activation}"] if spec.activation != Spec().activation else []
    words += ["--shallow"] if spec.shallow else []
    words += [f"--unit-strides {','.join(map(str, spec.unit_strides))}"] if spec.unit_strides else []
    words += [f"--convolution {spec.convolution}"] if spec.convolution != Spec().convolution else []
    words += [f"--rounding {spec.rounding}"] if spec.rounding != Spec().rounding else []
    words += [f"--precision {precision}"] if precision != USUAL else []
    return " ".join(words)
