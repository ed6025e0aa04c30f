"""Which kernels a training runs by, and what is said where ours cannot run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from depthwise.cloud import beginning
from depthwise.cloud.beginning import with_kernels
from depthwise.cloud.cuda.support import what_is_missing
from depthwise.cloud.module import Network
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.resume import same_settings
from depthwise.errors import Refused
from depthwise.network.spec import Spec
from depthwise.progress import Silent

ON_THE_CPU = World(rank=0, size=1, device=torch.device("cpu"))
ON_A_GPU = World(rank=0, size=1, device=torch.device("cuda"))


def network_of(convolution: str = "separable") -> Network:
    return Network(Spec(width=0.25, resolution=32, classes=2, convolution=convolution))


def test_a_cpu_trains_by_torch() -> None:
    assert with_kernels(Recipe(), network_of(), ON_THE_CPU, Silent()).kernels == "torch"
    assert with_kernels(Recipe(kernels="torch"), network_of(), ON_THE_CPU, Silent()).kernels == "torch"


@pytest.mark.parametrize(
    ("convolution", "reason"),
    [("separable", "PyTorch finds no CUDA device here"), ("standard", "the network has no depthwise layers")],
)
def test_kernels_that_cannot_run_are_refused_with_the_reason(convolution: str, reason: str) -> None:
    with pytest.raises(Refused, match=f"--kernels triton cannot run: {reason}; leave it out"):
        with_kernels(Recipe(kernels="triton"), network_of(convolution), ON_THE_CPU, Silent())


def test_a_gpu_that_is_too_old_or_without_triton_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert what_is_missing() == "Triton is not installed; run: pip install 'depthwise[cuda]'"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert what_is_missing() == "Tesla T4 is older than they need (compute capability 8.0)"


def test_a_run_goes_on_with_the_kernels_that_it_began_with() -> None:
    began = replace(Recipe(), kernels="triton")

    assert same_settings(Recipe(), {}, {"recipe": began.to_dict()}).kernels == "triton"
    with pytest.raises(Refused, match="--kernels was triton and is torch"):
        same_settings(Recipe(kernels="torch"), {}, {"recipe": began.to_dict()})


def test_kernels_that_fail_on_a_gpu_are_left_for_those_of_torch(monkeypatch: pytest.MonkeyPatch, heard: Any) -> None:
    monkeypatch.setattr(beginning, "what_is_missing", lambda: "")
    monkeypatch.setattr(beginning, "what_fails", lambda spec, device: "on this GPU they fail (no such instruction)")

    assert with_kernels(Recipe(), network_of(), ON_A_GPU, heard).kernels == "torch"
    assert heard.notices == ["training by PyTorch's own kernels: of ours, on this GPU they fail (no such instruction)"]
    with pytest.raises(Refused, match="--kernels triton cannot run: on this GPU they fail"):
        with_kernels(Recipe(kernels="triton"), network_of(), ON_A_GPU, heard)
    monkeypatch.setattr(beginning, "what_fails", lambda spec, device: "")
    assert with_kernels(Recipe(), network_of(), ON_A_GPU, heard).kernels == "triton"
