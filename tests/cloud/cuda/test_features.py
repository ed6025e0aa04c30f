"""The network by the operators against the network by PyTorch's own layers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from depthwise.cloud.cuda import tiles
from depthwise.cloud.cuda.features import Step, trained
from depthwise.cloud.module import Network
from depthwise.network.layers import layers
from depthwise.network.spec import Spec

SPECS: dict[str, dict[str, Any]] = {
    "symmetric": {},
    "keras": {"padding": "keras", "activation": "relu", "channels": 1},
    "shallow": {"padding": "same", "shallow": True, "unit_strides": (0, 2)},
}


def network_of(**fields: Any) -> Network:
    torch.manual_seed(3)
    network = Network(Spec(width=0.25, resolution=32, classes=5, **fields))
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.normal_(norm.bias)
    network.double()
    return network


def pair(**fields: Any) -> tuple[Network, Network, torch.Tensor]:
    """A network by PyTorch's layers, the same by the operators, and images."""
    plain = network_of(**fields)
    ours = copy.deepcopy(plain)
    ours.kernels = True
    x = torch.randn((3, plain.spec.channels, 32, 32), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    return plain, ours, x


@pytest.mark.parametrize("fields", SPECS.values(), ids=SPECS)
def test_a_step_of_training_has_the_same_logits_gradients_and_running_statistics(fields: dict[str, Any]) -> None:
    plain, ours, x = pair(**fields)
    found = [network.train()(x) for network in (plain, ours)]
    for logits in found:
        logits.square().sum().backward()

    torch.testing.assert_close(found[1], found[0])
    for (name, one), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)
    torch.testing.assert_close(list(ours.buffers()), list(plain.buffers()))


def test_answers_are_the_same() -> None:
    plain, ours, x = pair()
    plain.train()(x)
    ours.load_state_dict(plain.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), plain.eval()(x))


def test_what_the_operators_have_no_form_for_goes_by_torch() -> None:
    plain, ours, x = pair()
    x.requires_grad_()
    # Gradients of a network that does not learn, as attacks want them.
    for network in (plain, ours):
        network.eval()
    slopes = [torch.autograd.grad(network(x).sum(), x)[0] for network in (plain, ours)]
    assert torch.equal(*slopes)
    # Normalisations that stand still while the network learns, in part.
    for network in (plain, ours):
        network.train()
        network.bn1.eval()  # type: ignore[union-attr]
    assert torch.equal(ours(x), plain(x))


def test_the_twin_of_standard_convolutions_goes_by_torch() -> None:
    plain, ours, x = pair(convolution="standard")

    assert torch.equal(ours.train()(x), plain.train()(x))


def one_program(pixels: int, channels: int, outputs: int) -> tiles.Tile:
    """All of a layer in one tile, whatever a GPU has room for."""
    return tiles.Tile(tiles.up_to(pixels, 2**10), tiles.up_to(outputs, 2**8), tiles.up_to(channels, 2**8))


def by_torch(steps: Sequence[Step], x: torch.Tensor) -> torch.Tensor:
    """Pooled features by PyTorch's layers."""
    for step in steps:
        top, bottom, left, right = step.padding
        x = F.conv2d(
            F.pad(x, (left, right, top, bottom)),
            step.convolution.weight,
            stride=step.layer.stride,
            groups=step.convolution.groups,
        )
        x = step.norm(x).clamp(0, 6)
    return x.mean((2, 3))


@pytest.mark.usefixtures("interpreted")
def test_a_step_of_training_by_the_kernels_is_that_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stem and three blocks, the second of stride 2: each further block would be the same kernels again."""
    # Few programs, which the interpreter takes one after the other.
    monkeypatch.setattr(tiles, "DEPTHWISE_VALUES", 2**14)
    for tile in ("pointwise_tile", "input_tile", "weight_tile"):
        monkeypatch.setattr(tiles, tile, one_program)
    plain, ours, x = pair()
    table = [layer for layer in layers(plain.spec) if layer.norm][:7]
    first, second = (
        [Step(layer, *step[:2]) for layer, step in zip(table, network._steps, strict=False)]
        for network in (plain.train(), ours.train())
    )
    by_torch(first, x).square().sum().backward()
    trained(second, x, 6.0).square().sum().backward()

    for one, other in zip(second, first, strict=True):
        for mine, theirs in ((one.convolution, other.convolution), (one.norm, other.norm)):
            for (name, weight), wanted in zip(mine.named_parameters(), theirs.parameters(), strict=True):
                torch.testing.assert_close(weight.grad, wanted.grad, msg=f"{one.layer.name} {name}")
            torch.testing.assert_close(list(mine.buffers()), list(theirs.buffers()))
