"""A trial finds kernels that fail, or that give something else than PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from depthwise.cloud.kernel_trial import what_fails
from depthwise.cloud.module import Network
from depthwise.network.spec import Spec

CPU = torch.device("cpu")
SPEC = Spec(width=0.25, resolution=64, classes=3, shallow=True)
Features = Callable[[Network, Tensor], Tensor]


def test_nothing_fails_where_the_operators_give_what_torch_gives() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()

    assert what_fails(SPEC, CPU) == ""
    assert torch.equal(torch.get_rng_state(), before)


def more(features: Features) -> Features:
    return lambda network, x: features(network, x) * 1.2


def no_number(features: Features) -> Features:
    return lambda network, x: features(network, x) * float("nan")


def another_slope(features: Features) -> Features:
    """Right answers whose gradients are twice what they must be."""

    def given(network: Network, x: Tensor) -> Tensor:
        found = features(network, x)
        return 2 * found - found.detach()

    return given


@pytest.mark.parametrize(("change", "distance"), [(more, "0."), (no_number, "nan"), (another_slope, "")])
def test_kernels_that_give_something_else_are_told(
    change: Callable[[Features], Features], distance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Network, "_by_kernels", change(Network._by_kernels))  # type: ignore[arg-type]

    said = what_fails(SPEC, CPU)

    assert said.startswith(f"on this GPU their float32 is {distance}"), said
    assert said.endswith("away from PyTorch's")


def test_kernels_that_cannot_be_built_are_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(network: Network, x: Tensor) -> Tensor:
        raise RuntimeError("out of resource:\n shared memory")

    monkeypatch.setattr(Network, "_by_kernels", fails)

    assert what_fails(SPEC, CPU) == "on this GPU they fail (out of resource: shared memory)"
