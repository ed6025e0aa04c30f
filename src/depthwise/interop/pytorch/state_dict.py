"""State dicts of PyTorch modules as a chain: arrays by their shapes and their order, whatever their names are.

A MobileNet V1 is told by its arrays alone: one convolution of the picture, thirteen pairs of a depthwise and a
pointwise one, a normalisation behind each, and a product. What a state dict does not hold (strides, padding,
activation, epsilon) is the paper's and PyTorch's usual, which the model's provenance and a notice say.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from depthwise.errors import Refused
from depthwise.interop.chain import Chain, Clamp, Convolution, Dense, Norm, Pool
from depthwise.interop.pytorch.statistics import likeliest
from depthwise.network.layers import layers
from depthwise.network.spec import ACTIVATIONS, BLOCKS, Spec
from depthwise.network.weights import NORM_FIELDS, Array

PYTORCH_EPSILON = 1e-5
# What wrappers put in front of every name: DataParallel, torch.compile, Lightning, averages of weights.
WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "ema.", "ema_model.")
_ELSE = "export the network to ONNX, which says how its layers follow each other"
_DEEPEST = 4


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a state dict does not hold.

    Attributes:
        side: of the picture, None where nobody says it.
        padding: "symmetric" or "same".
    """

    side: int | None = None
    padding: str = "symmetric"
    epsilon: float = PYTORCH_EPSILON
    activation: str = "relu6"
    unit_strides: tuple[int, ...] = ()


def unwrapped(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays without what wrappers put in front of all their names."""
    found = dict(arrays)
    while (
        front := next((w for w in WRAPPERS if found and all(name.startswith(w) for name in found)), None)
    ) is not None:
        found = {name.removeprefix(front): array for name, array in found.items()}
    return found


def chain(arrays: Mapping[str, Array], settings: Settings, *, ordered: bool) -> Chain:
    """The chain of a state dict.

    Args:
        arrays: without those that training counts.
        ordered: whether they come in the order in which the module made them; else their names are sorted, numbers by
            their value.
    Raises: Refused, naming the first array that fits no MobileNet V1.
    """
    parts = _Parts(arrays, _order(arrays, ordered=ordered))
    spec = Spec(
        padding=settings.padding, resolution=settings.side or Spec.resolution, unit_strides=settings.unit_strides
    )
    made = Chain(height=settings.side, width=settings.side, channels=None)
    rows = [row for row in layers(spec) if row.norm]
    for row, name in zip(rows, parts.convolutions, strict=True):
        where = f"array {name}.weight"
        made.add(
            Convolution(
                where=where,
                weight=arrays[f"{name}.weight"],
                bias=parts.take(f"{name}.bias"),
                stride=(row.stride, row.stride),
                padding="same" if settings.padding == "same" else row.padding,
                depthwise=row.kind == "depthwise",
            )
        )
        if (norm := parts.norms.get(name)) is not None:
            weight, bias, mean, variance = (arrays[f"{norm}.{part}"] for part in NORM_FIELDS)
            fields = {"weight": weight, "bias": bias, "mean": mean, "variance": variance}
            made.add(Norm(where=f"arrays {norm}", epsilon=settings.epsilon, **fields))
        made.add(Clamp(where=where, low=0.0, high=ACTIVATIONS[settings.activation]))
    made.add(Pool(where="the pool"))
    if parts.product:
        weight = arrays[f"{parts.product}.weight"]
        flat = weight.reshape(weight.shape[:2])
        made.add(Dense(where=f"array {parts.product}.weight", weight=flat, bias=parts.take(f"{parts.product}.bias")))
    return made


def found_out(arrays: Mapping[str, Array], settings: Settings, *, ordered: bool, known: bool) -> Settings:
    """The settings with the activation and epsilon that the running statistics fit, where they fit one clearly better.

    Args:
        known: whether the activation is known.
    Raises: Refused, as `chain` does.
    """
    parts = _Parts(arrays, _order(arrays, ordered=ordered))
    names = parts.convolutions
    if len(parts.norms) != len(names):
        return settings
    points = [
        (parts.norms[before], name, parts.norms[name]) for before, name in zip(names[1::2], names[2::2], strict=True)
    ]
    fits = all(arrays[f"{norm}.bias"].shape == (arrays[f"{name}.weight"].shape[1],) for norm, name, _ in points)
    if not fits:
        return settings
    activation, epsilon = likeliest(points, arrays, (settings.activation, settings.epsilon), known=known)
    return replace(settings, activation=activation, epsilon=epsilon)


def _order(arrays: Mapping[str, Array], *, ordered: bool) -> list[str]:
    return list(arrays) if ordered else sorted(arrays, key=_natural)


class _Parts:
    """Which arrays are which layer's.

    Attributes:
        convolutions: the names of stem, depthwise, pointwise, depthwise, pointwise, ...
        norms: of each, the name of the normalisation behind it; none where they were folded.
        product: the classifier's name, "" where there is none.
    """

    def __init__(self, arrays: Mapping[str, Array], order: Sequence[str]) -> None:
        self._arrays = arrays
        self._ordered = names = [name.removesuffix(".weight") for name in order if name.endswith(".weight")]
        shapes = {name: arrays[f"{name}.weight"].shape for name in names}
        flat = [name for name in names if len(shapes[name]) == 2]
        norms = [name for name in names if all(f"{name}.{part}" in arrays for part in NORM_FIELDS)]
        stems, deep, points = self._kinds(shapes)
        if len(flat) > 1 or len(stems) != 1 or len(deep) != len(BLOCKS) or not 0 <= len(points) - len(BLOCKS) <= 1:
            raise Refused(
                f"its arrays are {len(stems)} convolutions of a picture, {len(deep)} depthwise and {len(points)}"
                f" pointwise ones and {len(flat)} products; MobileNet V1 has 1, {len(BLOCKS)}, {len(BLOCKS)} and 1"
            )
        self.product = flat[0] if flat else ""
        if len(points) > len(BLOCKS):
            if flat:
                raise Refused(f"array {points[-1]}.weight is one product more than MobileNet V1 has; {_ELSE}")
            biased = [name for name in points if f"{name}.bias" in arrays]
            self.product = biased[0] if len(biased) == 1 else points[-1]
            points = [name for name in points if name != self.product]
        self.convolutions = [stems[0], *itertools.chain(*zip(deep, points, strict=True))]
        self.norms = self._paired(norms)
        self._refuse_left([*self.convolutions, self.product, *self.norms.values()])

    def _kinds(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[list[str], list[str], list[str]]:
        stems: list[str] = []
        deep: list[str] = []
        points: list[str] = []
        for name, shape in shapes.items():
            match shape:
                case (_, 1 | 3, 3, 3) if not stems and (shape[1] == 3 or self._is_first(name, shapes)):
                    stems.append(name)
                case (_, 1, 3, 3):
                    deep.append(name)
                case (_, _, 1, 1):
                    points.append(name)
                case (_, _, _, _):
                    raise Refused(
                        f"array {name}.weight has shape {shape}; MobileNet V1 has depthwise ones of 3x3 and ones of 1x1"
                    )
        return stems, deep, points

    def _is_first(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether this is the convolution of a grey picture: the first of 3x3 where none is of colours."""
        threes = [one for one, shape in shapes.items() if len(shape) == 4 and shape[2:] == (3, 3)]
        return threes[0] == name and len(threes) == len(BLOCKS) + 1 and all(shapes[one][1] == 1 for one in threes)

    def _paired(self, norms: Sequence[str]) -> dict[str, str]:
        """The normalisation behind each convolution: of one parent, the first with the first and so on."""
        if not norms:
            return {}
        for depth in range(1, _DEEPEST + 1):
            pairs: dict[str, str] = {}
            for place in {_parent(name, depth) for name in self.convolutions}:
                those = [name for name in self._ordered if _parent(name, depth) == place and name in self.convolutions]
                theirs = [name for name in norms if _parent(name, depth) == place]
                if len(those) == len(theirs):
                    pairs |= dict(zip(those, theirs, strict=True))
            alike = all(self._channels(one) == self._channels(other) for one, other in pairs.items())
            if alike and len(pairs) == len(self.convolutions) == len(norms):
                return pairs
        raise Refused(f"its {len(norms)} normalisations are not one behind each convolution by their names; {_ELSE}")

    def _channels(self, name: str) -> int:
        return int(self._arrays[f"{name}.weight"].shape[0])

    def take(self, name: str) -> Array | None:
        """An array that may be there."""
        return self._arrays.get(name)

    def _refuse_left(self, used: Sequence[str]) -> None:
        parts = ("weight", "bias", "running_mean", "running_var")
        known = {f"{name}.{part}" for name in used for part in parts}
        left = sorted(set(self._arrays) - known)
        scales = [name for name in self._ordered if self._arrays[f"{name}.weight"].ndim == 1]
        if left and not self.norms and len(scales) == len(self.convolutions):
            raise Refused(
                f"its normalisations, such as {scales[0]}, have no running_mean and running_var, without which nothing"
                " is known of how they normalise; save the whole state dict, or export the network to ONNX"
            )
        if left:
            raise Refused(f"array {left[0]} is not part of MobileNet V1; {_ELSE}")


def _parent(name: str, depth: int) -> str:
    """The module that holds another, so many steps up; "" for the whole network."""
    return ".".join(name.split(".")[:-depth])


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts the numbers in a name by their value."""
    return [(int(part[:9]), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
