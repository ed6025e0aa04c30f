"""Bytes that one image must move at the least, which needs no GPU."""

from __future__ import annotations

from depthwise.network.layers import layers
from depthwise.network.spec import Spec


def show_floor(spec: Spec) -> None:
    """Bytes that one image moves at the least in 16 bits, by layer of kinds and by what is one kernel."""
    rows = [layer for layer in layers(spec) if layer.norm]
    sizes = {
        kind: 2 * sum(r.input.size + r.output.size for r in rows if r.kind == kind)
        for kind in ("depthwise", "pointwise")
    }
    stem = 2 * (rows[0].input.size + rows[0].output.size)
    forward, outputs = stem + sum(sizes.values()), 2 * sum(row.output.size for row in rows)
    blocks = 2 * sum(a.input.size + b.output.size for a, b in zip(rows[1::2], rows[2::2], strict=True))
    # Of the output its gradient and itself are read, and of the input itself is read and its gradient written; twice,
    # but for that gradient, where the weights' gradient is a kernel of its own. The stem's input has no gradient.
    times = {"stem": (1, 2), "depthwise": (2, 2), "pointwise": (3, 4)}
    backward = 2 * sum(times[r.kind][0] * r.input.size + times[r.kind][1] * r.output.size for r in rows)
    figures = {
        "stem": stem,
        "depthwise layers": sizes["depthwise"],
        "pointwise layers": sizes["pointwise"],
        "forward pass in training, each convolution one kernel": forward,
        "the same where a kernel each takes moments, and normalises and activates": forward + 3 * outputs,
        "backward pass in training": backward,
        "answers, each block one kernel": stem + blocks,
    }  # fmt: skip
    for name, size in figures.items():
        print(f"| {name} | {size / 1e6:.2f} |")
