"""What stands behind the pool: linear operations that become one classifier, and a softmax."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import (
    Affine,
    Choice,
    Clamp,
    Convolution,
    Dense,
    Integers,
    Norm,
    Operation,
    Reshape,
    Saturation,
    Sigmoid,
    Softmax,
)
from depthwise.network.weights import Array


@dataclass(kw_only=True)
class Head:
    """The operations behind the pool, multiplied together.

    Attributes:
        classifier: weight (N, C) and bias (N,), or None where the file has none.
        where: the place of its product in the file.
        integers: of its weight, where that is quantised and nothing else was multiplied in.
        single: whether the file has one score, which became that of the second of two classes.
        pooled, scored: what the pool's and the classifier's results become, where they are quantised.
        inner: what products become before something is added, where a file quantises there, too.
    """

    classifier: tuple[Array, Array] | None = None
    where: str = ""
    integers: Integers | None = None
    single: bool = False
    pooled: Saturation | None = None
    scored: Saturation | None = None
    inner: Saturation | None = None
    _scale: Array = field(default_factory=lambda: np.ones(()))
    _shift: Array = field(default_factory=lambda: np.zeros(()))
    _ended: str = ""

    def take(self, operation: Operation, top: float) -> None:
        """Add one operation.

        Args:
            top: the largest value that pooled features have.
        Raises: Refused, when it is one that no MobileNet V1 has there.
        """
        match operation:
            case Reshape():
                return
            case Softmax() if self._ended:
                raise Refused(
                    f"{operation.where} is a second softmax behind {self._ended}, which evens probabilities out;"
                    " MobileNet V1 has one, remove the other"
                )
            case Choice() if self.classifier is not None:
                self._ended = operation.where
                return
            case Saturation():
                self._saturate(operation)
                return
        if self._ended:
            raise Refused(f"{operation.where} stands behind {self._ended}, where MobileNet V1 has ended")
        match operation:
            case Convolution() | Dense():
                self._multiply(operation)
            case Affine():
                self._scaled(operation.where, operation.scale, operation.shift)
            case Norm():
                with np.errstate(all="ignore"):
                    slope = operation.weight / np.sqrt(operation.variance.astype(np.float64) + operation.epsilon)
                self._scaled(operation.where, slope, operation.bias - operation.mean * slope)
            case Clamp():
                self._clamp(operation, top)
            case Softmax() if self.classifier is not None and len(self.classifier[1]) > 1:
                self._ended = operation.where
            case Softmax():
                raise Refused(f"{operation.where} compares a single score with itself; MobileNet V1 has two or more")
            case Sigmoid() if self.classifier is not None and len(self.classifier[1]) == 1:
                self._ended = operation.where
            case Sigmoid():
                raise Refused(
                    f"{operation.where} gives each label a score of its own, whatever the others get; here labels"
                    " exclude each other: train with a softmax"
                )
            case _:
                raise Refused(f"{operation.where} stands behind the pool, which no MobileNet V1 has")

    def finish(self) -> None:
        """Make two classes of a single score s: of 0 and s the softmax is s's sigmoid and what that leaves."""
        if self.classifier is None or len(self.classifier[1]) != 1:
            return
        weight, bias = self.classifier
        self.classifier = np.concatenate([np.zeros_like(weight), weight]), np.concatenate([np.zeros_like(bias), bias])
        self.single, self.integers = True, None

    def _multiply(self, operation: Convolution | Dense) -> None:
        weight, integers = operation.weight, operation.integers
        if isinstance(operation, Convolution):
            if weight.shape[2:] != (1, 1) or operation.depthwise:
                raise Refused(
                    f"{operation.where} is no 1x1 convolution; after the pool MobileNet V1 has its classifier"
                )
            weight = weight[:, :, 0, 0]
        same_length(operation.where, weight.shape[0], bias=operation.bias)
        bias = np.zeros(weight.shape[0], dtype=np.float32) if operation.bias is None else operation.bias
        if integers is not None:
            integers = dataclasses.replace(integers, weight=integers.weight.reshape(weight.shape))
        if self.classifier is not None:
            before, shift = self.classifier
            if weight.shape[1] != before.shape[0]:
                raise Refused(f"{operation.where} takes {weight.shape[1]} values of {before.shape[0]}; it is damaged")
            # Two products without an activation between them are one.
            exact = weight.astype(np.float64)
            weight, bias, integers = exact @ before, exact @ shift + bias, None
        elif np.any(self._scale != 1) or np.any(self._shift != 0):
            same_length(operation.where, weight.shape[1], scale=self._scale, shift=self._shift)
            exact = weight.astype(np.float64)
            shift = exact @ np.broadcast_to(self._shift, (weight.shape[1],))
            weight, bias, integers = exact * self._scale, bias + shift, None
        self.classifier, self.where, self.integers = (weight, bias), operation.where, integers

    def _scaled(self, where: str, scale: Array, shift: Array) -> None:
        """Multiply and add: into the classifier, or kept for the one to come."""
        one, other = (np.squeeze(np.asarray(part, np.float64)) for part in (scale, shift))
        if not (np.isfinite(one).all() and np.isfinite(other).all()):
            raise Refused(f"{where} multiplies or adds a number that is not finite; it is damaged")
        if self.classifier is None:
            lengths = {part.size for part in (one, other, self._scale) if part.size > 1}
            if len(lengths) > 1:
                raise Refused(f"{where} has {max(lengths)} numbers for {min(lengths)} channels; it is damaged")
            self._scale, self._shift = self._scale * one, self._shift * one + other
            return
        weight, bias = self.classifier
        same_length(where, weight.shape[0], scale=one, shift=other)
        # Bytes in between are what rounding left, as a file has it that quantises products and their bias apart.
        if self.scored is not None:
            self.inner, self.scored = self.scored, None
        if np.any(one != 1):
            weight = weight * (one if one.ndim == 0 else one[:, None])
            # Bytes that were made before cannot be scaled any more.
            known = self.integers if self.inner is None and (one > 0).all() else None
            self.integers = None if known is None else dataclasses.replace(known, scales=known.scales * one)
        self.classifier = weight, bias * one + other

    def _clamp(self, operation: Clamp, top: float) -> None:
        if self.classifier is not None:
            one = operation.where == self.where
            does = (
                f"{self.where} has an activation" if one else f"{operation.where} is an activation behind {self.where}"
            )
            raise Refused(
                f"{does}: a hidden layer, or limits of the scores;"
                " MobileNet V1 has one layer behind its pool, the classifier, and nothing but a softmax behind that"
            )
        scaled = np.any(self._scale != 1) or np.any(self._shift != 0)
        if scaled or operation.low > 0 or operation.high < top:
            raise Refused(f"{operation.where} limits what the pool gives; MobileNet V1 does not")

    def _saturate(self, operation: Saturation) -> None:
        """Keep what a value becomes; a second time only if it stays what it is."""
        if self._ended:
            return
        if self.classifier is not None:
            before, self.scored = self.scored, operation
        else:
            before, self.pooled = self.pooled, operation
        refuse_second(before, operation)


def refuse_second(before: Saturation | None, operation: Saturation) -> None:
    """Refuse other levels than a value has.

    Raises: Refused, naming the operation that states them.
    """
    if before is not None and before.levels != operation.levels:
        raise Refused(f"{operation.where} quantises a second time; MobileNet V1 is quantised once a layer")


def same_length(where: str, channels: int, **arrays: Array | None) -> None:
    """Refuse arrays that have not one number, or one a channel.

    Raises: Refused, naming the array.
    """
    for name, array in arrays.items():
        if array is not None and np.shape(array) not in ((), (1,), (channels,)):
            raise Refused(f"{where}: its {name} has shape {np.shape(array)} for {channels} channels; it is damaged")
