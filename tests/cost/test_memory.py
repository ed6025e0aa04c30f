"""The schemes of memory against a buffer of bytes in which they are really carried out."""

from __future__ import annotations

import pytest

from depthwise.cost import formulas, memory
from depthwise.network.layers import layers
from depthwise.network.spec import Spec

INT8 = formulas.precision("int8")
WAKE_WORDS = Spec(width=0.25, resolution=96, classes=2)
SPECS = {
    "0.25-96": WAKE_WORDS,
    "0.25-96 same": Spec(width=0.25, resolution=96, classes=2, padding="same"),
    "0.25-33": Spec(width=0.25, resolution=33, classes=2),
    "0.5-64 at stride 1": Spec(width=0.5, resolution=64, classes=2, unit_strides=(0,)),
    "0.25-64 standard": Spec(width=0.25, resolution=64, classes=2, convolution="standard"),
}


@pytest.mark.parametrize(
    ("spec", "apart", "placed"),
    [
        # in + out of the largest pointwise layer, and a depthwise row of 16-bit numbers:
        # 48*48*(8+16) + 2*48*8;  in place 48*48*16 + 2*48*8
        (WAKE_WORDS, (55_296, 56_064), 37_632),
        (Spec(width=0.25, resolution=128), (98_304, 99_328), 66_560),
        (Spec(width=0.5, resolution=160), (307_200, 309_760), 207_360),
        # 112*112*(32+64), + 2*112*32;  112*112*64 + 2*112*32
        (Spec(), (1_204_224, 1_211_392), 809_984),
    ],
    ids=["0.25-96", "0.25-128", "0.5-160", "1-224"],
)
def test_peaks_are_those_derived_by_hand(spec: Spec, apart: tuple[int, int], placed: int) -> None:
    table = layers(spec)

    assert apart[0] == memory.layer_by_layer(table, INT8).bytes
    assert apart[1] == memory.fused(table, INT8, scratch=2).bytes
    assert placed == memory.fused_in_place(table, INT8, scratch=2).bytes


def run_in_place(step: memory.Step, arena: int) -> bool:
    """Whether a step runs in `arena` bytes, output from the low end, input at the high end, scratch apart.

    Every byte of the input knows its row; what is read must still be there.
    """
    window, output = step.first, step.last.output
    in_row, out_row = window.input.width * window.input.channels, output.width * output.channels
    start = arena - window.input.height * in_row
    if start < 0:
        return False
    buffer: list[int | None] = [None] * start + [y for y in range(window.input.height) for _ in range(in_row)]
    for y in range(output.height):
        first = y * window.stride - window.padding.top
        needed = range(max(0, first), min(window.input.height, first + window.kernel))
        there = [row for row in needed if set(buffer[start + row * in_row : start + (row + 1) * in_row]) == {row}]
        if there != list(needed) or (y + 1) * out_row > arena:
            return False
        # Without a scratch row the output row is written while its input rows are being read.
        write = range(y * out_row, (y + 1) * out_row)
        if step.scratch == 0 and write.stop > start + needed.start * in_row:
            return False
        for place in write:
            buffer[place] = None
    return True


@pytest.mark.parametrize("name", SPECS)
def test_each_step_runs_in_place_in_just_the_bytes_counted_and_not_in_fewer(name: str) -> None:
    table = layers(SPECS[name])
    pairs = zip(memory.steps(table), memory.needs(table, INT8), strict=True)

    for step, need in pairs:
        if step.last.kind in ("pool", "classifier"):
            continue
        arena = need.fused_in_place - step.scratch
        assert run_in_place(step, arena), need
        assert not run_in_place(step, arena - 1), need


def test_fusing_alone_does_not_lower_the_peak_and_placing_rows_over_consumed_ones_does() -> None:
    table = layers(Spec())

    assert memory.fused(table, INT8).bytes > memory.layer_by_layer(table, INT8).bytes
    assert memory.fused_in_place(table, INT8).bytes < 0.7 * memory.layer_by_layer(table, INT8).bytes


@pytest.mark.parametrize("name", SPECS)
def test_peaks_are_the_largest_of_what_the_steps_need_and_name_their_layer(name: str) -> None:
    table = layers(SPECS[name])
    needs = memory.needs(table, INT8)
    peaks = (memory.layer_by_layer, memory.fused, memory.fused_in_place)

    for peak, own in zip(peaks, ("layer_by_layer", "fused", "fused_in_place"), strict=True):
        found = peak(table, INT8)
        largest = max(needs, key=lambda need: getattr(need, own))
        assert getattr(largest, own) == found.bytes
        assert found.layer.startswith(largest.name)


def test_a_float_takes_four_times_the_bytes_of_a_byte() -> None:
    table, floats = layers(Spec()), formulas.precision("float32")

    assert 4 * memory.fused_in_place(table, INT8).bytes == memory.fused_in_place(table, floats).bytes
