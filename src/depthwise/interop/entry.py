"""What a graph does to its input before the first convolution, as one scale, one shift and an order of channels."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Affine, Convolution, Levels, Norm, Reorder, Saturation
from depthwise.interop.head import same_length
from depthwise.network.weights import Array


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A range that the file states for values on their way to the first convolution: levels after a scale and shift."""

    where: str
    levels: Levels
    scale: Array
    shift: Array
    order: tuple[int, ...] | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Channel c of what the first convolution reads is `input[order[c]] * scale[c] + shift[c]`.

    Attributes:
        order: of the input's channels, None where they come as they are.
        scale, shift: one number, or (C,); float64.
        stated: ranges that the file states on the way.
        where: the first operation that computes, "" where there is none.
    """

    order: tuple[int, ...] | None = None
    scale: Array = field(default_factory=lambda: np.ones(()))
    shift: Array = field(default_factory=lambda: np.zeros(()))
    stated: tuple[Stated, ...] = ()
    where: str = ""

    @property
    def computes(self) -> bool:
        """Whether values change on the way."""
        return bool(np.any(self.scale != 1) or np.any(self.shift != 0))

    def then(self, operation: Affine | Norm | Reorder | Saturation) -> Entry:
        """The same, followed by one operation.

        Raises: Refused, when it is of another number of channels.
        """
        match operation:
            case Saturation():
                stated = Stated(
                    where=operation.where,
                    levels=operation.levels,
                    scale=self.scale,
                    shift=self.shift,
                    order=self.order,
                )
                return dataclasses.replace(self, stated=(*self.stated, stated))
            case Reorder():
                return self._reordered(operation)
            case Norm():
                with np.errstate(all="ignore"):
                    slope = operation.weight / np.sqrt(operation.variance.astype(np.float64) + operation.epsilon)
                return self._scaled(operation.where, slope, operation.bias - operation.mean * slope)
        return self._scaled(operation.where, operation.scale, operation.shift)

    def mixed(self, operation: Convolution) -> Entry:
        """The same, followed by a 1x1 convolution that gives each channel one of those that come, scaled.

        Raises: Refused, when it mixes them.
        """
        C = operation.weight.shape[0]
        flat = operation.weight[:, :, 0, 0].astype(np.float64)
        matrix = np.diag(flat[:, 0]) if operation.depthwise else flat
        order = tuple(int(c) for c in abs(matrix).argmax(axis=1))
        scale = matrix[np.arange(C), order]
        if sorted(order) != list(range(C)) or np.count_nonzero(matrix) != C:
            raise Refused(
                f"{operation.where} mixes the channels of pixels; MobileNet V1 begins with red, green and blue"
            )
        same_length(operation.where, C, bias=operation.bias)
        bias = np.zeros(C) if operation.bias is None else operation.bias.astype(np.float64)
        return self.then(Reorder(where=operation.where, order=order))._scaled(operation.where, scale, bias)

    def _scaled(self, where: str, scale: Array, shift: Array) -> Entry:
        one, other = (np.squeeze(np.asarray(part, np.float64)) for part in (scale, shift))
        try:
            with np.errstate(all="ignore"):
                return dataclasses.replace(
                    self, scale=self.scale * one, shift=self.shift * one + other, where=self.where or where
                )
        except ValueError:
            raise Refused(f"{where} has {max(one.size, other.size)} numbers for another number of channels") from None

    def _reordered(self, operation: Reorder) -> Entry:
        order = list(operation.order)
        before = self.order or tuple(range(len(order)))
        if len(before) != len(order) or sorted(order) != list(range(len(order))):
            raise Refused(f"{operation.where} puts {len(before)} channels in the order {order[:6]}; it is damaged")
        scale, shift = (part if part.ndim == 0 else part[order] for part in (self.scale, self.shift))
        return dataclasses.replace(self, order=tuple(before[c] for c in order), scale=scale, shift=shift)
