"""What several kernels do in the same way."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def activated(x, scale, shift, ceiling):
    """Batch normalisation and activation of a tile (P, C): clamp(x * scale + shift, 0, ceiling); NaN stays NaN.

    A diverging training must be seen, and the processor's own minimum and maximum would turn NaN into 0.
    """
    return tl.clamp(x * scale[None, :] + shift[None, :], 0.0, ceiling, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def passes(x, scale, shift, ceiling):
    """Where the activation of a tile (P, C) has slope 1; at its bounds and beyond them the slope is 0, as in torch."""
    before = x * scale[None, :] + shift[None, :]
    # Written so that it holds for NaN too, whose gradient is NaN.
    return ((before <= 0.0) | (before >= ceiling)) == 0


@triton.jit
def slope_of_output(dy, y, mean, by_mean, by_variance):
    """Gradient of a tile (P, C) of outputs, with what comes back through their mean and variance.

    by_mean: gradient of the mean over the number of pixels; by_variance: twice that of the variance over it.
    """
    return dy + by_mean[None, :] + by_variance[None, :] * (y - mean[None, :])


@triton.jit
def tile_moments(y, valid, count, wide: tl.constexpr):
    """Mean of the valid rows of a tile (P, C), and the sum of squared distances from it, each (C,).

    Not the sum of squares: its difference from the squared mean loses the digits of a small variance.
    """
    kept = tl.where(valid, y, 0.0)
    mean = tl.sum(kept, 0) / tl.maximum(count, 1).to(wide)
    off = tl.where(valid, y - mean[None, :], 0.0)
    return mean, tl.sum(off * off, 0)
