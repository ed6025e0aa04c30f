"""Memory is known by formula before the work begins, and what cannot fit is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from depthwise.cloud import device, predict
from depthwise.cloud.module import to_network
from depthwise.errors import Refused
from depthwise.network.memory import training_bytes
from depthwise.network.model import Model
from depthwise.network.spec import Spec

CPU = torch.device("cpu")


def test_a_step_keeps_no_less_than_is_counted_and_not_twice_as_much(small_model: Callable[..., Model]) -> None:
    model = small_model(resolution=64)
    network, kept = to_network(model).train(), {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        answers = network(torch.zeros(4, 3, 64, 64))
    counted = training_bytes(model.spec, 4, value_bytes=4)
    assert counted <= sum(kept.values()) + answers.nbytes * 64 < 2 * counted


def test_what_cannot_fit_into_memory_is_refused_before_it_is_tried(
    small_model: Callable[..., Model], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device.check_memory(Spec(), 64, CPU)
    with pytest.raises(Refused, match=r"with 65536 images at 1024 pixels .* give a lower --batch or --resolution"):
        device.check_memory(Spec(resolution=1024), 65536, CPU)
    (tmp_path / "memory.max").write_text("1000000000\n")
    monkeypatch.setattr(device, "GROUP_LIMIT", tmp_path / "memory.max")
    assert device.memory_of(CPU) == 1_000_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert device.memory_of(CPU) > 1_000_000_000
    with pytest.raises(Refused, match=r"answers at 4096 pixels and width 0.25 would take \d\.\d GB of memory"):
        predict.ModelPredictor(small_model(resolution=4096))
