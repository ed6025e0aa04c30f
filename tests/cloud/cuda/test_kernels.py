"""The kernels, run by Triton's interpreter, against the torch expressions that define them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from depthwise.cloud.cuda import reference, tiles
from depthwise.network.layers import layers
from depthwise.network.spec import PADDINGS, RESOLUTIONS, WIDTHS, Spec

pytestmark = pytest.mark.usefixtures("interpreted")

# How far a value may be from the reference, as a share of the largest: sums in another order, and their rounding.
CLOSE = {torch.float64: 1e-13, torch.float32: 3e-6, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}
# (images, channels, height, width, outputs) that fill no tile, and one whose pixels take several rounds.
ODD = [(2, 3, 5, 7, 5), (1, 72, 6, 4, 40), (3, 8, 2, 2, 16), (2, 16, 2, 9, 24)]
PLACES = [(1, 1, 1, 1), (0, 1, 0, 1), (0, 0, 0, 0), (1, 0, 0, 1)]


def values(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made.to(dtype)


def image(case: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    batch, channels, height, width, _ = case
    return values(batch, channels, height, width, seed=0, dtype=dtype).contiguous(memory_format=torch.channels_last)


def affine(channels: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Scale and shift that let the activation clip on both sides."""
    return values(channels, seed=1, dtype=dtype) * 3, values(channels, seed=2, dtype=dtype) + 2


def close(found: Any, wanted: Any, dtype: torch.dtype) -> None:
    for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        if one.numel():
            off = (one.double() - other.double()).abs().max() / other.double().abs().max().clamp(min=1e-9)
            assert off <= CLOSE[dtype], (place, float(off))


def both(operation: str, x: Tensor, normed: bool, weight: Tensor, *settings: Any) -> None:
    """Hold a kernel and its backward passes to the reference."""
    from depthwise.cloud.cuda import launch

    kind = reference.wide(x)
    given = (x, *(affine(x.shape[1], kind) if normed else (None, None)), weight)
    wanted = getattr(reference, operation)(*given, *settings)
    close(getattr(launch, operation)(*given, *settings), wanted, x.dtype)
    slopes = (values(*wanted[0].shape, seed=5, dtype=x.dtype), *(values(len(weight), seed=6 + i) * 3 for i in range(2)))
    slopes = (slopes[0], *(one.to(kind) for one in slopes[1:]))
    back = (reference.Backward(*slopes, *given, *wanted[:2]), *settings)
    close(getattr(launch, f"{operation}_backward")(*back), getattr(reference, f"{operation}_backward")(*back), x.dtype)


def depthwise_weight(channels: int, dtype: torch.dtype) -> Tensor:
    return values(channels, 1, 3, 3, seed=3, dtype=dtype)


@pytest.mark.parametrize("dtype", CLOSE, ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_a_depthwise_layer_of_any_type_is_that_of_the_reference_forward_and_backward(
    dtype: torch.dtype, stride: int
) -> None:
    x = image((2, 8, 9, 7, 0), dtype)

    both("depthwise", x, True, depthwise_weight(8, reference.wide(x)), stride, (1, 1, 1, 1), 6.0)


@pytest.mark.parametrize("dtype", CLOSE, ids=str)
def test_a_pointwise_layer_of_any_type_is_that_of_the_reference_forward_and_backward(dtype: torch.dtype) -> None:
    x = image((2, 24, 9, 8, 0), dtype)

    both("pointwise", x, True, values(40, 24, 1, 1, seed=3, dtype=reference.wide(x)), 6.0)


@pytest.mark.parametrize("case", ODD, ids=str)
def test_sizes_that_fill_no_tile_lose_nothing_and_read_nothing_else(case: tuple[int, ...]) -> None:
    x, channels, outputs = image(case, torch.float64), case[1], case[-1]

    for stride, place in ((1, PLACES[0]), (2, PLACES[1])):
        both("depthwise", x, False, depthwise_weight(channels, torch.float64), stride, place, 6.0)
    both("pointwise", x, False, values(outputs, channels, 1, 1, seed=3), float("inf"))


@pytest.mark.parametrize("place", PLACES[2:], ids=str)
def test_zeros_may_lie_on_any_side(place: tuple[int, ...]) -> None:
    both("depthwise", image((1, 8, 6, 5, 0), torch.float64), True, depthwise_weight(8, torch.float64), 2, place, 6.0)


def test_moments_of_several_rounds_and_programs_are_those_of_all_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "DEPTHWISE_VALUES", 128)
    monkeypatch.setattr(tiles, "PROGRAMS", 2)
    x = image((1, 8, 9, 7, 0), torch.float64) + 100

    assert tiles.depthwise_tile(63, 8).rounds == 2
    both("depthwise", x, False, depthwise_weight(8, torch.float64), 1, (0, 0, 0, 0), 6.0)


def shapes() -> Iterator[tuple[int, int, int, tuple[int, int, int, int]]]:
    """Height, width, stride and zeros of every depthwise layer of the sixteen networks, each once."""
    seen = set()
    for padding in PADDINGS:
        for side in RESOLUTIONS:
            for layer in layers(Spec(resolution=side, padding=padding)):
                if layer.kind == "depthwise":
                    pad = layer.padding
                    zeros = (pad.top, pad.bottom, pad.left, pad.right)
                    seen.add((layer.input.height, layer.input.width, layer.stride, zeros))
    yield from sorted(seen)


def test_every_depthwise_shape_of_the_sixteen_networks_is_that_of_the_reference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from depthwise.cloud.cuda import launch

    # One channel and few large tiles, which the interpreter takes one after the other.
    monkeypatch.setattr(tiles, "depthwise_tile", lambda pixels, _: tiles.Tile(tiles.up_to(pixels, 2**14), 0, 1))
    weight = depthwise_weight(1, torch.float32)
    for height, width, stride, zeros in shapes():
        # What comes before the taps does not depend on the shape, and is left out; a mean of 0 would have no share.
        x = image((1, 1, height, width, 0), torch.float32) + 3
        given = (x, None, None, weight, stride, zeros, 6.0)
        close(launch.depthwise(*given), reference.depthwise(*given), torch.float32)


def test_every_width_of_the_sixteen_networks_is_that_of_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    from depthwise.cloud.cuda import launch

    # All output channels in one tile, whatever a GPU has room for; input channels still in several.
    large = lambda pixels, channels, outputs: tiles.Tile(  # noqa: E731
        tiles.up_to(pixels, 16), tiles.up_to(outputs, 1024), tiles.up_to(channels, 256)
    )
    monkeypatch.setattr(tiles, "pointwise_tile", large)
    pairs = {
        (layer.input.channels, layer.output.channels)
        for width in WIDTHS
        for layer in layers(Spec(width=width))
        if layer.kind == "pointwise"
    }
    for channels, outputs in sorted(pairs):
        x = image((1, channels, 2, 3, outputs), torch.float32)
        weight = values(outputs, channels, 1, 1, seed=3, dtype=torch.float32)
        given = (x, *affine(channels, torch.float32), weight, 6.0)
        close(launch.pointwise(*given), reference.pointwise(*given), torch.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_both_layers_in_one_kernel_answer_as_the_reference(dtype: torch.dtype, stride: int) -> None:
    from depthwise.cloud.cuda import launch

    x = image((2, 40, 6, 5, 0), dtype)
    weights = [values(*shape, seed=i, dtype=torch.float32) for i, shape in enumerate([(40, 1, 3, 3), (40,)])]
    weights += [values(24, 40, 1, 1, seed=8, dtype=torch.float32) / 6, values(24, seed=9, dtype=torch.float32)]
    given: tuple[Any, ...] = (x, *weights, stride, (0, 1, 0, 1), 6.0)

    close([launch.separable(*given)], [reference.separable(*given)], dtype)


def test_a_value_that_is_no_number_stays_none_behind_the_activation() -> None:
    """The minimum of a processor would make 0 of it, and a training that diverged would go on unseen."""
    from depthwise.cloud.cuda import launch

    x = image((1, 8, 4, 4, 0), torch.float32)
    x[0, 2, 1, 1] = float("nan")
    y, mean, _ = launch.depthwise(
        x, *affine(8, torch.float32), depthwise_weight(8, torch.float32), 1, (1, 1, 1, 1), 6.0
    )

    assert y[0, 2, :3, :3].isnan().all()
    assert mean.isnan().tolist() == [channel == 2 for channel in range(8)]
