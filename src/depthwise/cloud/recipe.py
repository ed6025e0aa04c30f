"""How to train, as data: one frozen record that the command line fills and the model's provenance keeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from depthwise.errors import Refused
from depthwise.network.spec import LARGEST_RESOLUTION

# Pictures grow by this many pixels at a time.
STEP = 8


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one training run.

    Attributes:
        epochs: passes over the training images, frozen ones included.
        batch: images a step over all processes.
        optimizer: "sgd" (Nesterov momentum 0.9) or "adamw".
        rate: peak learning rate, reached after the warm-up and followed by a cosine to 0.
        decay: weight decay; biases, batch normalisation and depthwise weights are spared (arXiv:1704.04861 section 4).
        warmup: share of the steps in which the rate rises from near 0.
        smoothing: label smoothing.
        mixup, cutmix: parameter of the Beta distribution (arXiv:1710.09412, arXiv:1905.04899), 0 for none;
            with both, one is drawn for each batch.
        crop: least area of the random crop, as a share of the image; 1 for the middle square instead of a random crop.
        resample: crop a random area and scale it to the size that is wanted; without, cut a square of that size out of
            a random place where it shows at least the area `crop`, which keeps pictures that are as small as the
            network's input as sharp as they are.
        flip: mirror half of the images.
        colour: largest change of brightness, contrast and saturation, each from 1 - colour to 1 + colour.
        average: decay a step of the moving average of the weights that is kept as the result, less in runs so short
            that it would look back over more than a twentieth of them; 0 for none.
        balance: weigh classes by the inverse of how often they occur (to the power of `balance`; 0 for none).
        patience: stop after so many epochs without a better validation top-1, or a lower loss at the same; 0 for never.
        side: resolution of the training pictures where they are not small; 0 for that of the network. An eighth less
            costs a quarter less, and shows things at the size that they have at full resolution, since random crops
            magnify (arXiv:1906.06423).
        small: resolution of the pictures in the first epochs; 0 for full size throughout.
        small_share: share of the epochs that stay at that size.
        full_share: share of the epochs at full size; in those between, pictures grow in steps of 8 pixels
            (progressive learning, arXiv:2104.00298 section 4).
        whole_share: share of the epochs, at the end, that show the middle square of each picture at full resolution and
            no random crop of it: at the size and as sharp as the device will see it (arXiv:1906.06423).
        distill_weight: how much the teachers' answers weigh in the loss where there are any; the labels have the rest.
        temperature: by which the logits of student and teachers are divided before they are compared
            (arXiv:1503.02531); that part of the loss is multiplied by its square, which keeps gradients their size.
        validate_every: epochs from one measurement on all validation images to the next; in those between, a part of
            them is looked at, and only epochs that were measured on all can be kept.
        frozen: epochs in which only the classifier is trained, when starting from other weights.
        precision: "float32", "bfloat16" (autocast), or "auto" to measure which is faster.
        kernels: "triton" for kernels of our own on a GPU (docs/cuda.md), "torch" for PyTorch's, or "auto" for ours
            where they can run.
        adversarial: "fast" (one step of an attack against the network as it is), "pgd" (several) or "trades" (several,
            and clean pictures beside them) to train on pictures that are changed against it; "none".
        eps: how far these pictures may be changed, as a share of a pixel's range.
        attack_steps: of the attack; 0 for 1, 7 and 10.
        perturbation: how far weights are moved against the network in each step, as a share of the length of a layer's
            weights; 0 for not at all.
        seed: of everything random.
    """

    epochs: int = 30
    batch: int = 64
    optimizer: str = "adamw"
    rate: float = 2e-3
    decay: float = 0.02
    warmup: float = 0.1
    smoothing: float = 0.1
    mixup: float = 0.0
    cutmix: float = 0.0
    crop: float = 0.35
    resample: bool = True
    flip: bool = True
    colour: float = 0.3
    average: float = 0.998
    balance: float = 0.0
    patience: int = 0
    side: int = 0
    small: int = 0
    small_share: float = 0.4
    full_share: float = 0.35
    whole_share: float = 0.0
    distill_weight: float = 1.0
    temperature: float = 2.0
    validate_every: int = 1
    frozen: int = 0
    precision: str = "auto"
    kernels: str = "auto"
    adversarial: str = "none"
    eps: float = 8 / 255
    attack_steps: int = 0
    perturbation: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {
            "epochs": (1, 100_000), "batch": (2, 65_536), "rate": (1e-9, 100), "decay": (0, 10), "warmup": (0, 0.9),
            "smoothing": (0, 0.9), "mixup": (0, 100), "cutmix": (0, 100), "crop": (0.01, 1), "colour": (0, 1),
            "average": (0, 0.999999), "balance": (0, 1), "patience": (0, 100_000), "small_share": (0, 1),
            "full_share": (0, 1), "whole_share": (0, 1), "distill_weight": (0, 1), "temperature": (0.1, 100),
            "validate_every": (1, 100_000), "frozen": (0, 100_000), "eps": (0, 1), "attack_steps": (0, 1000),
            "perturbation": (0, 1), "seed": (0, 2**32 - 1),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            # Written so that a value that is not a number (nan) is refused too.
            if not low <= value <= high:
                raise Refused(f"{name} is {value!r}; it must be from {low:,} to {high:,}")
        for name in ("small", "side"):
            value = getattr(self, name)
            if value and not 32 <= value <= LARGEST_RESOLUTION:
                raise Refused(f"{name} is {value}; it must be from 32 to {LARGEST_RESOLUTION:,}, or 0 for none")
        choices = {
            "optimizer": ("sgd", "adamw"),
            "precision": ("auto", "float32", "bfloat16"),
            "kernels": ("auto", "torch", "triton"),
            "adversarial": ("none", "fast", "pgd", "trades"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise Refused(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(allowed)}")

    def resolution(self, epoch: int, full: int) -> int:
        """Side of the pictures in an epoch, counted from 0."""
        if self.whole(epoch):
            return full
        full = min(self.side, full) if self.side else full
        if not self.small or self.small >= full:
            return full
        first, last = round(self.small_share * self.epochs), round((1 - self.full_share) * self.epochs)
        # The last epoch always is: only epochs at full size are measured at full size, and one of them is kept.
        if epoch >= min(last, self.epochs - 1):
            return full
        if epoch < first:
            return self.small
        grown = (epoch - first + 1) / (last - first + 1)
        return min(full, self.small + round(grown * (full - self.small) / STEP) * STEP)

    def measured(self, epoch: int) -> bool:
        """Whether an epoch, counted from 0, is measured on all validation images; the last always is."""
        return (epoch + 1) % self.validate_every == 0 or epoch == self.epochs - 1

    def whole(self, epoch: int) -> bool:
        """Whether the pictures of an epoch, counted from 0, are shown whole."""
        return epoch >= self.epochs - round(self.whole_share * self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_dict` describes; unknown fields are refused by name."""
        unknown = sorted(set(fields) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise Refused(f"the recipe has unknown settings {', '.join(map(repr, unknown))}; update depthwise")
        return cls(**fields)


# Fine-tuning starts from good weights, which a high rate would throw away.
_FINE_TUNING_RATE = 1e-3
# Training in int8 starts from weights that are nearly what they can be.
_INT8: Mapping[str, Any] = {"epochs": 3, "frozen": 0, "rate": 1e-4}


def usual_settings(*, fine_tuning: bool, int8: bool, epochs: int | None) -> dict[str, Any]:
    """The settings whose defaults depend on what a training starts from.

    Args:
        fine_tuning: whether it starts from the weights of a model.
        int8: whether these were turned into int8.
        epochs: how many are asked for; None for the default.
    """
    if int8:
        return dict(_INT8) if epochs is None else {**_INT8, "epochs": epochs}
    passes = Recipe().epochs if epochs is None else epochs
    if not fine_tuning:
        return {"epochs": passes, "frozen": 0, "rate": Recipe().rate}
    return {"epochs": passes, "frozen": passes // 10, "rate": _FINE_TUNING_RATE}
