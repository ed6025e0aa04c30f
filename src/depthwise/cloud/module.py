"""The network as a torch module, made by walking the table of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from depthwise.errors import Refused
from depthwise.network.layers import Layer, Padding, layers
from depthwise.network.model import Array, Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import ACTIVATIONS, Spec


class Network(nn.Module):
    """MobileNet V1 of one spec; its state dict has the names of the model folder.

    Input: (B, C, H, W) float, normalised; channels_last is fastest. Output: (B, classes) logits.
    Weights are He-normal at the start (fan out), the classifier's near zero.

    Attributes:
        kernels: compute by the operators of cloud/cuda wherever they have a form for it; PyTorch's own otherwise.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.kernels = False
        self._steps: list[tuple[nn.Conv2d, nn.BatchNorm2d, Padding]] = []
        for layer in layers(spec):
            match layer.kind:
                case "stem" | "depthwise" | "pointwise" | "standard":
                    self._add_convolution(layer)
                case "pool":
                    pass
                case "classifier":
                    self.classifier = nn.Linear(layer.input.channels, layer.output.channels)
                    nn.init.normal_(self.classifier.weight, std=0.01)
                    nn.init.zeros_(self.classifier.bias)
                case kind:
                    raise Refused(f"layer {layer.name}: torch has no form for kind {kind}")
        self._is_relu6 = spec.activation == "relu6"

    def _add_convolution(self, layer: Layer) -> None:
        pad = layer.padding
        even = pad.top == pad.bottom == pad.left == pad.right
        convolution = nn.Conv2d(
            layer.input.channels,
            layer.output.channels,
            layer.kernel,
            layer.stride,
            padding=pad.top if even else 0,
            groups=layer.input.channels if layer.kind == "depthwise" else 1,
            bias=False,
        )
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        norm = nn.BatchNorm2d(layer.output.channels, eps=self.spec.bn_epsilon)
        _place(self, layer.name, convolution)
        _place(self, layer.norm, norm)
        self._steps.append((convolution, norm, Padding() if even else pad))

    def features(self, x: Tensor) -> Tensor:
        """Pooled features (B, channels) of normalised images (B, C, H, W)."""
        by_kernels = self._by_kernels(x) if self.kernels else None
        if by_kernels is not None:
            return by_kernels
        for convolution, norm, pad in self._steps:
            if pad != Padding():
                x = F.pad(x, (pad.left, pad.right, pad.top, pad.bottom))
            x = norm(convolution(x))
            # Batch normalisation keeps its input for the backward pass, not its output, so this may be in place.
            x = clamped(x) if self._is_relu6 else F.relu(x, inplace=True)
        return x.mean((2, 3))

    def _by_kernels(self, x: Tensor) -> Tensor | None:
        """The features by operators of cloud/cuda, or None where they have no form for what is asked.

        They have one for training by the statistics of the batch and for answers, of separable networks.
        """
        from depthwise.cloud.cuda.features import Step, answered, folded, has_form, trained

        rows = (layer for layer in layers(self.spec) if layer.norm)
        steps = [Step(row, *step[:2]) for row, step in zip(rows, self._steps, strict=True)]
        ceiling = ACTIVATIONS[self.spec.activation]
        learning = {step.norm.training for step in steps}
        if not has_form(steps) or len(learning) > 1:
            return None
        if learning == {True}:
            return trained(steps, x, ceiling)
        return None if torch.is_grad_enabled() else answered(steps[0], *folded(steps), x, ceiling)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of normalised images (B, C, H, W)."""
        logits: Tensor = self.classifier(self.features(x))
        return logits


class _ClampInPlace(torch.autograd.Function):
    """ReLU6 of values in their place; backward goes by the output.

    torch's own hardtanh, in place, copies its input for the backward pass, which takes as long again.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        x.clamp_(0.0, ACTIVATIONS["relu6"])
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        # What torch computes for hardtanh of the input: 0 at the bounds and beyond them, else the gradient.
        return torch.ops.aten.hardtanh_backward(gradients[0], out, 0.0, ACTIVATIONS["relu6"])  # type: ignore[no-any-return]


def clamped(x: Tensor) -> Tensor:
    """ReLU6 of a tensor, in its place; its values before are gone."""
    out: Tensor = _ClampInPlace.apply(x)  # type: ignore[no-untyped-call]
    return out


def _place(root: nn.Module, name: str, module: nn.Module) -> None:
    """Register a module under a dotted name, making the containers in between."""
    *path, last = name.split(".")
    for part in path:
        if not hasattr(root, part):
            root.add_module(part, nn.Module())
        root = getattr(root, part)
    root.add_module(last, module)


def normalise(pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Prepared pixels (B, H, W, C) uint8 as the network's input (B, C, H, W) float32, channels_last."""
    return normalised(pixels, *constants(preprocessing, pixels.device))


def constants(preprocessing: Preprocessing, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and scale (C,) on a device, for `normalised`."""
    mean = torch.tensor(preprocessing.mean, dtype=torch.float32, device=device)
    return mean, torch.tensor(preprocessing.scale, dtype=torch.float32, device=device)


def normalised(pixels: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """`normalise` by constants that are on the device already, so that nothing is copied to it."""
    # NHWC memory seen as NCHW is what torch calls channels_last: no copy is made.
    return ((pixels.to(torch.float32) - mean) * scale).permute(0, 3, 1, 2)


def to_network(model: Model) -> Network:
    """The torch module of a model, with its weights, in evaluation mode."""
    network = Network(model.spec)
    state = network.state_dict()
    state.update({name: torch.from_numpy(np.array(array)) for name, array in model.weights.items()})
    network.load_state_dict(state)
    return network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def to_weights(network: nn.Module) -> dict[str, Array]:
    """The arrays of a trained network as a model holds them (float32, contiguous)."""
    return {
        name: tensor.detach().to("cpu", torch.float32).contiguous().numpy().copy()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
