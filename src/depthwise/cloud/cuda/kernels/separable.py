"""A depthwise and a pointwise convolution in one kernel, for answers: what is between them never leaves the chip.

Batch normalisations are folded into weights and biases. P output pixels of the batch, C channels, N output channels.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def forward(
    x_ptr, depthwise_ptr, depthwise_bias_ptr, pointwise_ptr, pointwise_bias_ptr, z_ptr,
    pixels, channels, outputs, height, width, out_height, out_width, top, left, ceiling,
    stride: tl.constexpr, wide: tl.constexpr, product: tl.constexpr, exact: tl.constexpr,
    block_p: tl.constexpr, block_n: tl.constexpr, block_c: tl.constexpr,
):  # fmt: skip
    """One tile (block_p, block_n) of z; the depthwise values of a tile of pixels are made as the products need them."""
    p = tl.program_id(0) * block_p + tl.arange(0, block_p)
    n = tl.program_id(1) * block_n + tl.arange(0, block_n)
    image, place = p // (out_height * out_width), p % (out_height * out_width)
    upper, leftmost = (place // out_width) * stride - top, (place % out_width) * stride - left
    total = tl.zeros((block_p, block_n), wide)
    for start in range(0, channels, block_c):
        c = start + tl.arange(0, block_c)
        has_c = c < channels
        value = tl.zeros((block_p, block_c), wide)
        for ky in tl.static_range(3):
            iy = upper + ky
            in_row = (p < pixels) & (iy >= 0) & (iy < height)
            before = (image * height + iy).to(tl.int64) * width
            for kx in tl.static_range(3):
                ix = leftmost + kx
                here = (in_row & (ix >= 0) & (ix < width))[:, None] & has_c[None, :]
                at = (before + ix)[:, None] * channels + c[None, :]
                x = tl.load(x_ptr + at, mask=here, other=0.0).to(wide)
                value += x * tl.load(depthwise_ptr + c * 9 + ky * 3 + kx, mask=has_c, other=0.0).to(wide)[None, :]
        value += tl.load(depthwise_bias_ptr + c, mask=has_c, other=0.0).to(wide)[None, :]
        value = tl.clamp(value, 0.0, ceiling, propagate_nan=tl.PropagateNan.ALL).to(x_ptr.dtype.element_ty)
        there = (n < outputs)[None, :] & has_c[:, None]
        weight = tl.load(pointwise_ptr + n[None, :] * channels + c[:, None], mask=there, other=0.0)
        weight = weight.to(x_ptr.dtype.element_ty)
        total = tl.dot(value.to(product), weight.to(product), total, input_precision=exact, out_dtype=wide)
    total += tl.load(pointwise_bias_ptr + n, mask=n < outputs, other=0.0).to(wide)[None, :]
    total = tl.clamp(total, 0.0, ceiling, propagate_nan=tl.PropagateNan.ALL)
    valid = (p < pixels)[:, None] & (n < outputs)[None, :]
    at = p.to(tl.int64)[:, None] * outputs + n[None, :]
    tl.store(z_ptr + at, total.to(z_ptr.dtype.element_ty), mask=valid)
