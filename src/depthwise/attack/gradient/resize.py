"""The way from a frame to the square that a network takes, as torch computes it, with gradients.

Each resize is a matrix a side: what Pillow's filter makes of single pixels. Values are rounded to bytes after each
side, as `edge.pixels.prepare` rounds them, and rounding passes gradients on unchanged. Pillow's own weights are rounded
to some 20 bits, so that a byte may differ here and there; who judges computes it exactly.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.way import Way
from depthwise.edge.pixels import FILTERS, geometry


def through_resize(network: Differentiable, way: Way, height: int, width: int) -> Differentiable:
    """The same network for frames (N, height, width, C) in levels."""
    g = geometry(height, width, resize=way.resize, crop=way.crop, mode=way.mode)
    down = _weights(g.height, g.resized_height, way.filter).to(network.device)
    across = _weights(g.width, g.resized_width, way.filter).to(network.device)

    def prepare(levels: Tensor) -> Tensor:
        """Squares (N, crop, crop, C) of frames (N, height, width, C)."""
        part = levels[:, g.top : g.top + g.height, g.left : g.left + g.width]
        narrow = _whole(torch.einsum("pw,bhwc->bhpc", across, part))
        small = _whole(torch.einsum("qh,bhpc->bqpc", down, narrow))
        if way.mode != "fit":
            return small[:, g.crop_top : g.crop_top + way.crop, g.crop_left : g.crop_left + way.crop]
        fill = torch.tensor(way.fill, dtype=levels.dtype, device=levels.device)
        square = fill.expand(len(levels), way.crop, way.crop, -1).clone()
        top, left = -g.crop_top, -g.crop_left
        square[:, top : top + g.resized_height, left : left + g.resized_width] = small
        return square

    return network.behind(prepare, together=1)


def _weights(before: int, after: int, filter: str) -> Tensor:
    """(after, before): the share of each pixel in each of the resized ones."""
    single = Image.fromarray(np.eye(before, dtype=np.float32))
    return torch.from_numpy(np.array(single.resize((before, after), FILTERS[filter])))


def _whole(x: Tensor) -> Tensor:
    """Rounded to whole levels; gradients pass unchanged."""
    return x + (x.detach().round().clamp(0, 255) - x.detach())
