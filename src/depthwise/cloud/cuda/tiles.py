"""How work is cut into tiles: pure numbers, which no result but the order of sums depends on."""

from __future__ import annotations

from dataclasses import dataclass

# Values of a tile of a depthwise kernel: sixteen for each of 128 threads.
DEPTHWISE_VALUES = 2048
# Channels side by side in it: 64 of two bytes are a cache line of 128.
DEPTHWISE_CHANNELS = 64
# Programs that a kernel with partial sums is cut into at the most; each writes its sums once, and the last step adds
# them. A GPU of 132 processors with eight programs on each has room for a quarter of them at a time.
PROGRAMS = 4096
# Sums that the weights of a pointwise layer are cut into at the most: each is as large as the weights.
SPLITS = 64
# The least side of a product on a tensor core.
LEAST = 16


@dataclass(frozen=True)
class Tile:
    """Pixels, output channels and input channels of one program's tile, and the tiles of pixels that it goes over."""

    pixels: int
    outputs: int
    channels: int
    rounds: int = 1


def up_to(count: int, most: int, least: int = LEAST) -> int:
    """The smallest power of two that holds a count, from `least` to `most`."""
    return max(least, min(most, 1 << max(0, count - 1).bit_length()))


def parts(count: int, size: int) -> int:
    """How many parts of a size hold a count."""
    return -(-count // size)


def depthwise_tile(pixels: int, channels: int) -> Tile:
    """Of the depthwise kernels, which go over the pixels of the output (forward) or the input (backward)."""
    across = up_to(channels, DEPTHWISE_CHANNELS, 8)
    down = up_to(pixels, DEPTHWISE_VALUES // across)
    columns = parts(channels, across)
    rounds = max(1, parts(parts(pixels, down) * columns, PROGRAMS))
    return Tile(pixels=down, outputs=0, channels=across, rounds=rounds)


def pointwise_tile(pixels: int, channels: int, outputs: int) -> Tile:
    """Of the products of a pointwise layer and of its input's gradient."""
    return Tile(pixels=up_to(pixels, 128), outputs=up_to(outputs, 128), channels=up_to(channels, 32))


def input_tile(pixels: int, channels: int, outputs: int) -> Tile:
    """Of the gradient of its input: output channels are what is added over."""
    return Tile(pixels=up_to(pixels, 128), outputs=up_to(outputs, 32), channels=up_to(channels, 128))


def weight_tile(pixels: int, channels: int, outputs: int) -> Tile:
    """Of the gradient of its weights: pixels are what is added over, cut into parts that fill the GPU."""
    tile = Tile(pixels=up_to(pixels, 64), outputs=up_to(outputs, 64), channels=up_to(channels, 64))
    squares = parts(outputs, tile.outputs) * parts(channels, tile.channels)
    splits = max(1, min(SPLITS, PROGRAMS // (4 * squares), parts(pixels, tile.pixels)))
    return Tile(tile.pixels, tile.outputs, tile.channels, rounds=parts(parts(pixels, tile.pixels), splits))


def separable_tile(pixels: int, channels: int, outputs: int) -> Tile:
    """Of the depthwise and pointwise layer in one: as many outputs as fit, since each column makes its own input."""
    return Tile(pixels=up_to(pixels, 64), outputs=up_to(outputs, 256), channels=up_to(channels, 32))
