"""Depthwise 3x3 convolution of what batch normalisation and activation make of the input, with batch statistics.

C channels, `pixels` output (forward) or input (backward) pixels of the batch; one program has a column of `block_c`
channels and goes over `rounds` tiles of `block_p` pixels. `wide` is the type that is computed in.
"""

from __future__ import annotations

import triton
import triton.language as tl

from depthwise.cloud.cuda.kernels.parts import activated, passes, slope_of_output, tile_moments


@triton.jit
def forward(
    x_ptr, scale_ptr, shift_ptr, weight_ptr, y_ptr, moments_ptr,
    pixels, channels, height, width, out_height, out_width, top, left, ceiling, rounds,
    stride: tl.constexpr, normed: tl.constexpr, wide: tl.constexpr, block_p: tl.constexpr, block_c: tl.constexpr,
):  # fmt: skip
    """y = depthwise(activated(x)); moments[0] and [1] (programs, C): mean and squared distances of each program."""
    c = tl.program_id(1) * block_c + tl.arange(0, block_c)
    has_c = c < channels
    scale = tl.load(scale_ptr + c, mask=has_c, other=0.0).to(wide)
    shift = tl.load(shift_ptr + c, mask=has_c, other=0.0).to(wide)
    seen = tl.zeros((1,), wide)
    mean = tl.zeros((block_c,), wide)
    spread = tl.zeros((block_c,), wide)
    for turn in range(rounds):
        first = (tl.program_id(0) * rounds + turn) * block_p
        p = first + tl.arange(0, block_p)
        image, place = p // (out_height * out_width), p % (out_height * out_width)
        upper, leftmost = (place // out_width) * stride - top, (place % out_width) * stride - left
        total = tl.zeros((block_p, block_c), wide)
        for ky in tl.static_range(3):
            iy = upper + ky
            in_row = (p < pixels) & (iy >= 0) & (iy < height)
            before = (image * height + iy).to(tl.int64) * width
            for kx in tl.static_range(3):
                ix = leftmost + kx
                here = (in_row & (ix >= 0) & (ix < width))[:, None] & has_c[None, :]
                at = (before + ix)[:, None] * channels + c[None, :]
                value = tl.load(x_ptr + at, mask=here, other=0.0).to(wide)
                if normed:
                    # Zeros around the picture are zeros behind the activation.
                    value = tl.where(here, activated(value, scale, shift, ceiling), 0.0)
                weight = tl.load(weight_ptr + c * 9 + ky * 3 + kx, mask=has_c, other=0.0).to(wide)
                total += value * weight[None, :]
        valid = (p < pixels)[:, None] & has_c[None, :]
        y = total.to(y_ptr.dtype.element_ty)
        tl.store(y_ptr + p.to(tl.int64)[:, None] * channels + c[None, :], y, mask=valid)
        # Two sets of values become one: Chan, Golub and LeVeque, "Updating formulae", 1979, equation 2.1.
        count = tl.minimum(tl.maximum(pixels - first, 0), block_p)
        tile_mean, tile_spread = tile_moments(y.to(wide), valid, count, wide)
        both = seen + count
        step = tile_mean - mean
        share = count / tl.maximum(both, 1.0)
        mean += step * share
        spread += tile_spread + step * step * seen * share
        seen = both
    rows = tl.num_programs(0)
    tl.store(moments_ptr + tl.program_id(0) * channels + c, mean, mask=has_c)
    tl.store(moments_ptr + (rows + tl.program_id(0)) * channels + c, spread, mask=has_c)


@triton.jit
def backward(
    dy_ptr, y_ptr, mean_ptr, by_mean_ptr, by_variance_ptr, x_ptr, scale_ptr, shift_ptr, weight_ptr, dx_ptr, sums_ptr,
    pixels, channels, height, width, out_height, out_width, top, left, ceiling, rounds,
    stride: tl.constexpr, normed: tl.constexpr, wide: tl.constexpr, block_p: tl.constexpr, block_c: tl.constexpr,
):  # fmt: skip
    """Gradients of the input, of scale and shift, and of the weights, in one pass over the input.

    The taps that reach an input pixel are those that the input's gradient and the weights' gradient both need.
    sums (programs, 16, C): rows 0 to 8 of the nine weights, 9 of scale, 10 of shift.
    """
    c = tl.program_id(1) * block_c + tl.arange(0, block_c)
    has_c = c < channels
    scale = tl.load(scale_ptr + c, mask=has_c, other=0.0).to(wide)
    shift = tl.load(shift_ptr + c, mask=has_c, other=0.0).to(wide)
    mean = tl.load(mean_ptr + c, mask=has_c, other=0.0).to(wide)
    by_mean = tl.load(by_mean_ptr + c, mask=has_c, other=0.0).to(wide)
    by_variance = tl.load(by_variance_ptr + c, mask=has_c, other=0.0).to(wide)
    row = tl.arange(0, 16)[:, None]
    sums = tl.zeros((16, block_c), wide)
    for turn in range(rounds):
        p = (tl.program_id(0) * rounds + turn) * block_p + tl.arange(0, block_p)
        image, place = p // (height * width), p % (height * width)
        valid = (p < pixels)[:, None] & has_c[None, :]
        own = p.to(tl.int64)[:, None] * channels + c[None, :]
        x = tl.load(x_ptr + own, mask=valid, other=0.0).to(wide)
        value = x
        if normed:
            value = tl.where(valid, activated(x, scale, shift, ceiling), 0.0)
        below, right = place // width + top, place % width + left
        total = tl.zeros((block_p, block_c), wide)
        for ky in tl.static_range(3):
            down = below - ky
            oy = down // stride
            in_row = (p < pixels) & (down >= 0) & (oy < out_height) & (down % stride == 0)
            before = (image * out_height + oy).to(tl.int64) * out_width
            for kx in tl.static_range(3):
                across = right - kx
                ox = across // stride
                here = in_row & (across >= 0) & (ox < out_width) & (across % stride == 0)
                here = here[:, None] & has_c[None, :]
                at = (before + ox)[:, None] * channels + c[None, :]
                dy = tl.load(dy_ptr + at, mask=here, other=0.0).to(wide)
                y = tl.load(y_ptr + at, mask=here, other=0.0).to(wide)
                slope = tl.where(here, slope_of_output(dy, y, mean, by_mean, by_variance), 0.0)
                weight = tl.load(weight_ptr + c * 9 + ky * 3 + kx, mask=has_c, other=0.0).to(wide)
                total += slope * weight[None, :]
                sums += tl.where(row == ky * 3 + kx, tl.sum(slope * value, 0)[None, :], 0.0)
        if normed:
            total = tl.where(valid & passes(x, scale, shift, ceiling), total, 0.0)
            sums += tl.where(row == 9, tl.sum(total * x, 0)[None, :], 0.0)
            sums += tl.where(row == 10, tl.sum(total, 0)[None, :], 0.0)
            total = total * scale[None, :]
        tl.store(dx_ptr + own, total.to(dx_ptr.dtype.element_ty), mask=valid)
    at = (tl.program_id(0) * 16 + row) * channels + c[None, :]
    tl.store(sums_ptr + at, sums, mask=has_c[None, :] & (row < 16))
