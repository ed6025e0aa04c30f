"""What a graph does to its input before the first convolution, as one scale, one shift and an order of channels."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Affine, Convolution, Copies, Levels, Norm, Reorder, Saturation
from depthwise.interop.head import same_length
from depthwise.network.weights import Array

# How far apart, by their share, the greys may be that several copies have for 0: what rounding leaves.
SAME_GREY = 1e-6


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
        copies: what makes several equal channels of one grey one; the order is then that of the copies.
        channels: of the input, None where the file leaves that open.
    """

    order: tuple[int, ...] | None = None
    scale: Array = field(default_factory=lambda: np.ones(()))
    shift: Array = field(default_factory=lambda: np.zeros(()))
    stated: tuple[Stated, ...] = ()
    where: str = ""
    copies: Copies | None = None
    channels: int | None = None

    @property
    def computes(self) -> bool:
        """Whether values change on the way."""
        return bool(np.any(self.scale != 1) or np.any(self.shift != 0))

    def then(self, operation: Affine | Norm | Reorder | Copies | Saturation) -> Entry:
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
            case Copies():
                single = self.copies is None and self.order is None and max(self.scale.size, self.shift.size) == 1
                if not single or self.channels not in (None, 1):
                    raise Refused(f"{operation.where} copies what is no single channel; MobileNet V1 does not")
                return dataclasses.replace(self, copies=operation)
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
        if operation.weight.shape[:2] == (C, 1) and C > 1 and not operation.depthwise:
            copied = self.then(Copies(where=operation.where, times=C))
            same_length(operation.where, C, bias=operation.bias)
            shift = np.zeros(()) if operation.bias is None else operation.bias.astype(np.float64)
            return copied._scaled(operation.where, operation.weight.reshape(C).astype(np.float64), shift)
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

    def is_copied(self, operation: Convolution) -> bool:
        """Whether a first convolution reads copies of one channel: made by an operation, or by constants for each."""
        widened = self.channels == 1 and max(self.scale.size, self.shift.size) > 1
        return not operation.depthwise and (self.copies is not None or widened)

    def grey(self, operation: Convolution) -> tuple[Entry, Convolution]:
        """The same for the one channel that was copied, and the first convolution with the weights of its copies added.

        Copies may be scaled apart where all are 0 for the same grey, since zeros around the picture then stay zeros.
        Raises: Refused, where they are not.
        """
        sizes = max(self.scale.size, self.shift.size)
        where, C = (self.where, sizes) if self.copies is None else (self.copies.where, self.copies.times)
        if operation.weight.shape[1] != C:
            raise Refused(f"{operation.where} does not take the {C} channels that {where} makes")
        scale, shift = (np.broadcast_to(part, (C,)) for part in (self.scale, self.shift))
        usable = np.isfinite(scale).all() and np.isfinite(shift).all() and (scale != 0).all()
        if not usable or not np.allclose(shift / scale, shift[0] / scale[0], rtol=SAME_GREY, atol=0):
            raise Refused(
                f"{where} makes {C} channels of a grey one, and {self.where} gives each another mean, which no network"
                " of one channel has where zeros stand around a picture; save the model without the copying: a network"
                " of three channels takes grey pictures, too"
            )
        weight = (operation.weight.astype(np.float64) * (scale / scale[0])[:, None, None]).sum(axis=1, keepdims=True)
        stated = tuple(dataclasses.replace(one, order=None) for one in self.stated)
        entry = dataclasses.replace(self, scale=scale[0], shift=shift[0], order=None, stated=stated, copies=None)
        return entry, dataclasses.replace(operation, weight=weight.astype(np.float32), integers=None)

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
        if self.order is None and self.copies is None and self.channels not in (None, 1, len(order)):
            raise Refused(f"{operation.where} takes {len(order)} of {self.channels} channels; MobileNet V1 takes all")
        if len(before) != len(order) or sorted(order) != list(range(len(order))):
            raise Refused(f"{operation.where} puts {len(before)} channels in the order {order[:6]}; it is damaged")
        scale, shift = (part if part.ndim == 0 else part[order] for part in (self.scale, self.shift))
        return dataclasses.replace(self, order=tuple(before[c] for c in order), scale=scale, shift=shift)
