"""A patch, on networks whose answer to it is known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed; run: pip install 'depthwise[cloud]'")
import torch
from torch import Tensor, nn

from depthwise.attack.draws import Draws
from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.gradient.patch import Patch, make
from depthwise.attack.subject import FunctionSubject
from depthwise.progress import Silent

pytestmark = pytest.mark.usefixtures("torch_alone")


class Redness(nn.Module):
    """Says 1 where the mean of red less green is above a bound."""

    def forward(self, x: Tensor) -> Tensor:
        found = (x[..., 0] - x[..., 1]).mean((1, 2)) - 6
        return torch.stack([torch.zeros_like(found), found], 1)


def test_a_patch_becomes_what_the_network_looks_for_and_grey_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(100, 156, (8, 24, 24, 3)).astype(np.uint8)
    network = Differentiable(Redness(), lambda levels: levels)
    subject = FunctionSubject("redness", network.scores, network)
    labels, draws = np.zeros(8, np.int64), Draws(0, tuple(range(8)))

    found = make(Patch(share=0.3, steps=30), subject, subject, pixels, labels, draws, Silent())

    assert found.patch.shape == (7, 7, 3)
    assert found.patch[..., 0].mean() > 200
    assert found.patch[..., 1].mean() < 55
    assert (found.clean.share, found.grey.share, found.patched.share) == (1, 1, 0)
    assert (found.patched.of, found.example.shape) == (16, (4, 24, 24, 3))
    outside = (found.example == pixels[1::2]).all(axis=3).mean()
    assert 0.8 < outside < 0.97
