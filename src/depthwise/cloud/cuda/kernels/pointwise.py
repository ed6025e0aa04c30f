"""Pointwise convolution of what batch normalisation and activation make of the input, with batch statistics.

P pixels of the batch, C input and N output channels: y (P, N) = activated(x (P, C)) weight (N, C)^T. `product` is the
type that products are taken of; sums are in `wide`.
"""

from __future__ import annotations

import triton
import triton.language as tl

from depthwise.cloud.cuda.kernels.parts import activated, passes, slope_of_output, tile_moments


@triton.jit
def forward(
    x_ptr, scale_ptr, shift_ptr, weight_ptr, y_ptr, moments_ptr, pixels, channels, outputs, ceiling,
    normed: tl.constexpr, wide: tl.constexpr, product: tl.constexpr, exact: tl.constexpr,
    block_p: tl.constexpr, block_n: tl.constexpr, block_c: tl.constexpr,
):  # fmt: skip
    """One tile of y; moments[0] and [1] (tiles of pixels, N): its mean and squared distances from it."""
    first = tl.program_id(0) * block_p
    p = (first + tl.arange(0, block_p)).to(tl.int64)[:, None]
    n = tl.program_id(1) * block_n + tl.arange(0, block_n)
    total = tl.zeros((block_p, block_n), wide)
    for start in range(0, channels, block_c):
        c = start + tl.arange(0, block_c)
        value = tl.load(x_ptr + p * channels + c[None, :], mask=(p < pixels) & (c < channels)[None, :], other=0.0)
        if normed:
            scale = tl.load(scale_ptr + c, mask=c < channels, other=0.0).to(wide)
            shift = tl.load(shift_ptr + c, mask=c < channels, other=0.0).to(wide)
            value = activated(value.to(wide), scale, shift, ceiling).to(x_ptr.dtype.element_ty)
        there = (n < outputs)[None, :] & (c < channels)[:, None]
        weight = tl.load(weight_ptr + n[None, :] * channels + c[:, None], mask=there, other=0.0)
        weight = weight.to(x_ptr.dtype.element_ty)
        total = tl.dot(value.to(product), weight.to(product), total, input_precision=exact, out_dtype=wide)
    y = total.to(y_ptr.dtype.element_ty)
    valid = (p < pixels) & (n < outputs)[None, :]
    tl.store(y_ptr + p * outputs + n[None, :], y, mask=valid)
    mean, spread = tile_moments(y.to(wide), valid, tl.minimum(pixels - first, block_p), wide)
    at = tl.program_id(0) * outputs + n
    tl.store(moments_ptr + at, mean, mask=n < outputs)
    tl.store(moments_ptr + tl.num_programs(0) * outputs + at, spread, mask=n < outputs)


@triton.jit
def backward_input(
    dy_ptr, y_ptr, mean_ptr, by_mean_ptr, by_variance_ptr, x_ptr, scale_ptr, shift_ptr, weight_ptr, dx_ptr, sums_ptr,
    pixels, channels, outputs, ceiling,
    normed: tl.constexpr, wide: tl.constexpr, product: tl.constexpr, exact: tl.constexpr,
    block_p: tl.constexpr, block_n: tl.constexpr, block_c: tl.constexpr,
):  # fmt: skip
    """One tile of the input's gradient; sums[0] and [1] (tiles of pixels, C): of scale and shift."""
    p = (tl.program_id(0) * block_p + tl.arange(0, block_p)).to(tl.int64)[:, None]
    c = tl.program_id(1) * block_c + tl.arange(0, block_c)
    total = tl.zeros((block_p, block_c), wide)
    for start in range(0, outputs, block_n):
        n = start + tl.arange(0, block_n)
        has_n = n < outputs
        there = (p < pixels) & has_n[None, :]
        dy = tl.load(dy_ptr + p * outputs + n[None, :], mask=there, other=0.0).to(wide)
        y = tl.load(y_ptr + p * outputs + n[None, :], mask=there, other=0.0).to(wide)
        mean = tl.load(mean_ptr + n, mask=has_n, other=0.0).to(wide)
        by_mean = tl.load(by_mean_ptr + n, mask=has_n, other=0.0).to(wide)
        by_variance = tl.load(by_variance_ptr + n, mask=has_n, other=0.0).to(wide)
        slope = slope_of_output(dy, y, mean, by_mean, by_variance).to(x_ptr.dtype.element_ty)
        here = has_n[:, None] & (c < channels)[None, :]
        weight = tl.load(weight_ptr + n[:, None] * channels + c[None, :], mask=here, other=0.0)
        weight = weight.to(x_ptr.dtype.element_ty)
        total = tl.dot(slope.to(product), weight.to(product), total, input_precision=exact, out_dtype=wide)
    valid = (p < pixels) & (c < channels)[None, :]
    if normed:
        x = tl.load(x_ptr + p * channels + c[None, :], mask=valid, other=0.0).to(wide)
        scale = tl.load(scale_ptr + c, mask=c < channels, other=0.0).to(wide)
        shift = tl.load(shift_ptr + c, mask=c < channels, other=0.0).to(wide)
        total = tl.where(valid & passes(x, scale, shift, ceiling), total, 0.0)
        at = tl.program_id(0) * channels + c
        tl.store(sums_ptr + at, tl.sum(total * x, 0), mask=c < channels)
        tl.store(sums_ptr + tl.num_programs(0) * channels + at, tl.sum(total, 0), mask=c < channels)
        total = total * scale[None, :]
    tl.store(dx_ptr + p * channels + c[None, :], total.to(dx_ptr.dtype.element_ty), mask=valid)


@triton.jit
def backward_weight(
    dy_ptr, y_ptr, mean_ptr, by_mean_ptr, by_variance_ptr, x_ptr, scale_ptr, shift_ptr, parts_ptr,
    pixels, channels, outputs, ceiling, rounds,
    normed: tl.constexpr, wide: tl.constexpr, product: tl.constexpr, exact: tl.constexpr,
    block_p: tl.constexpr, block_n: tl.constexpr, block_c: tl.constexpr,
):  # fmt: skip
    """parts (programs, N, C): the gradient of the weights from `rounds` tiles of pixels.

    Programs do not add into one place: which adds first would change the sum, and the weights after it.
    """
    n = tl.program_id(1) * block_n + tl.arange(0, block_n)
    c = tl.program_id(2) * block_c + tl.arange(0, block_c)
    has_n, has_c = n < outputs, c < channels
    mean = tl.load(mean_ptr + n, mask=has_n, other=0.0).to(wide)
    by_mean = tl.load(by_mean_ptr + n, mask=has_n, other=0.0).to(wide)
    by_variance = tl.load(by_variance_ptr + n, mask=has_n, other=0.0).to(wide)
    scale = tl.load(scale_ptr + c, mask=has_c, other=0.0).to(wide)
    shift = tl.load(shift_ptr + c, mask=has_c, other=0.0).to(wide)
    total = tl.zeros((block_n, block_c), wide)
    for turn in range(rounds):
        p = ((tl.program_id(0) * rounds + turn) * block_p + tl.arange(0, block_p)).to(tl.int64)[:, None]
        there = (p < pixels) & has_n[None, :]
        dy = tl.load(dy_ptr + p * outputs + n[None, :], mask=there, other=0.0).to(wide)
        y = tl.load(y_ptr + p * outputs + n[None, :], mask=there, other=0.0).to(wide)
        slope = tl.where(there, slope_of_output(dy, y, mean, by_mean, by_variance), 0.0)
        here = (p < pixels) & has_c[None, :]
        value = tl.load(x_ptr + p * channels + c[None, :], mask=here, other=0.0)
        if normed:
            value = activated(value.to(wide), scale, shift, ceiling).to(x_ptr.dtype.element_ty)
        slope = slope.to(x_ptr.dtype.element_ty).to(product)
        total = tl.dot(tl.trans(slope), value.to(product), total, input_precision=exact, out_dtype=wide)
    at = (tl.program_id(0).to(tl.int64) * outputs + n[:, None]) * channels + c[None, :]
    tl.store(parts_ptr + at, total, mask=has_n[:, None] & has_c[None, :])
