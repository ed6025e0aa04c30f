"""Plans: tiles that fit into registers, and an arena in which nothing overlaps what is still needed."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthwise.compiler.account.explain import explain
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.lower.lower import Operation
from depthwise.compiler.plan.arena import ALIGNMENT, Value, place
from depthwise.compiler.plan.plan import Plan, plan, prepare_bytes
from depthwise.compiler.step import NO_BORDER, Map
from depthwise.compiler.targets import TARGETS, target
from depthwise.errors import Refused
from depthwise.kernels.instructions import PORTABLE, Instructions
from depthwise.kernels.layout import Layout
from depthwise.kernels.machine import PORTABLE as PROCESSOR
from depthwise.kernels.machine import Machine
from depthwise.kernels.portable.float32 import depthwise, product
from depthwise.kernels.portable.tiles import tiling, vector_lanes
from depthwise.kernels.table import KERNELS, machine_of
from depthwise.kernels.tiling import Product, Tiling
from depthwise.kernels.x86 import tiles as x86
from depthwise.kernels.x86.instructions import AVX2, AVX512VBMI, AVX512VNNI, AVXVNNI
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.layers import Padding, Shape, layers
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import FLOAT
from tools.emitted import AVX, AVX512, NEON, SSE, named

MACHINES = (SSE, NEON, AVX, AVX512)
machines = st.sampled_from(MACHINES)
specs = st.builds(
    Spec,
    width=st.sampled_from((0.25, 0.35, 0.5, 0.75, 1.0, 1.25)),
    resolution=st.integers(32, 300),
    classes=st.integers(2, 1200),
    channels=st.sampled_from((1, 3)),
    padding=st.sampled_from(("symmetric", "same")),
    convolution=st.sampled_from(("separable", "standard")),
    shallow=st.booleans(),
    unit_strides=st.sets(st.sampled_from((0, 2, 4, 6, 12))).map(lambda chosen: tuple(sorted(chosen))),
)


def planned(spec: Spec, machine: Machine) -> Plan:
    return plan(spec, default_preprocessing(spec.resolution, spec.channels), machine)


values = st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=20).map(
    lambda rows: [Value(name=str(i), bytes=b, first=f, last=f + more) for i, (b, f, more) in enumerate(rows)]
)


@given(values)
def test_no_two_values_that_live_at_once_overlap(chosen: list[Value]) -> None:
    regions, total = place(chosen)

    for one, other in combinations(chosen, 2):
        if one.first <= other.last and other.first <= one.last:
            a, b = regions[one.name], regions[other.name]
            assert a.offset + a.bytes <= b.offset or b.offset + b.bytes <= a.offset
    assert all(r.offset % ALIGNMENT == 0 and r.offset + r.bytes <= total for r in regions.values())


@given(values)
def test_an_arena_is_not_smaller_than_what_lives_at_once_and_not_larger_than_all(chosen: list[Value]) -> None:
    _, total = place(chosen)

    moments = range(max(v.last for v in chosen) + 1)
    assert total >= max(sum(v.bytes for v in chosen if v.first <= now <= v.last) for now in moments)
    assert total <= sum(-(-v.bytes // ALIGNMENT) * ALIGNMENT for v in chosen)


def test_the_arena_of_the_papers_network_is_the_two_maps_that_live_at_once() -> None:
    found = planned(Spec(), AVX512)

    # The second block reads 113x113x64 (zeros above and to the left: at stride 2, 112 rows need no more) and writes
    # 58x58x128 (zeros all around); two rows of its depthwise output, and as much of Strassen's sums, lie beside them.
    assert found.arena_bytes == 4 * (113 * 113 * 64 + 58 * 58 * 128 + 2 * (2 * 56 * 64))


@given(st.integers(1, 300), st.integers(1, 160).map(lambda eighths: 8 * eighths), machines, st.booleans())
def test_tiles_cover_every_pixel_and_channel_once_and_fit_into_registers(
    width: int, channels: int, machine: Machine, in_pairs: bool
) -> None:
    found = tiling(Product(width=width, channels=channels, together=1 + in_pairs), machine)

    full = width // found.pixels
    assert full * found.pixels + found.rest == width
    assert 0 <= found.rest < found.pixels
    assert sum(p.count * p.channels for p in found.panels) == channels
    assert all(p.count > 0 and p.lanes <= machine.lanes for p in found.panels)
    most = max(p.vectors for p in found.panels)
    # Of a pair each weight makes two vectors, and each value two; a mask parts them.
    beside = 2 * most + 3 if in_pairs else most
    assert found.pixels * most + beside <= machine.registers
    assert len(found.panels) == 1 or found.panels[0].vectors == found.panels[1].vectors + 1


@given(st.integers(1, 300), st.integers(1, 160).map(lambda eighths: 8 * eighths), st.integers(1, 1024))
def test_tiles_of_bytes_cover_every_pixel_and_channel_once(width: int, channels: int, depth: int) -> None:
    for of in (AVX512VNNI, AVXVNNI, AVX2):
        found = x86.tiling(Product(width=width, channels=channels, depth=depth), AVX512, of)

        assert width // found.pixels * found.pixels + found.rest == width
        assert 0 <= found.rest < found.pixels
        assert sum(p.count * p.channels for p in found.panels) == channels
        assert all(p.count > 0 and 0 < p.vectors <= 4 for p in found.panels)
        assert all(p.count == 1 and p is found.panels[-1] for p in found.panels if p.some)
        assert of != AVX512VNNI or all(p.vectors != 3 for p in found.panels)


@given(specs, machines)
def test_every_kernel_that_a_plan_names_is_in_the_table_with_its_form(spec: Spec, machine: Machine) -> None:
    for step in explain(planned(spec, machine), spec):
        for name in step.kernels:
            assert [k.header for k in KERNELS if k.parse(name) is not None], name


@given(specs, machines)
def test_a_plan_walks_the_whole_table_in_order(spec: Spec, machine: Machine) -> None:
    found = planned(spec, machine)

    assert tuple(layer for step in found.steps for layer in step.layers) == layers(spec)


@given(specs, machines)
def test_a_border_is_what_the_next_kernel_meets_and_no_more(spec: Spec, machine: Machine) -> None:
    steps = planned(spec, machine).steps
    for before, after in pairwise(steps):
        first = after.layers[0]
        if first.kind in ("pool", "classifier"):
            assert before.output.size == before.output.shape.size
            continue
        rows = before.output.border.top + before.output.shape.height + before.output.border.bottom
        reach = (first.output.height - 1) * first.stride + 3
        assert rows == max(reach, first.padding.top + first.input.height)


@given(specs, machines)
def test_rows_that_a_kernel_reads_together_do_not_fall_into_the_same_set_of_the_cache(
    spec: Spec, machine: Machine
) -> None:
    for step in planned(spec, machine).steps:
        assert step.output.border == NO_BORDER or step.output.row * FLOAT % 2048


@pytest.mark.parametrize(("channels", "lanes"), [(8, 8), (16, 16), (24, 8), (1024, 16), (40, 8)])
def test_vectors_are_the_widest_that_divide_the_channels(channels: int, lanes: int) -> None:
    assert vector_lanes(channels, AVX512) == lanes


@given(st.integers(1, 12), st.integers(1, 30).map(lambda eighths: 8 * eighths), machines, st.integers(1, 20))
def test_packed_products_hold_each_weight_where_the_kernel_reads_it(
    depth: int, channels: int, machine: Machine, width: int
) -> None:
    K, N = depth, channels
    weight = np.arange(K * N, dtype=np.float32).reshape(1, K, N) + 1
    bias = -np.arange(N, dtype=np.float32) - 1
    found: Tiling = tiling(Product(width=width, channels=N), machine)
    layer = layers(Spec())[2]

    packed = product(Operation(layer=layer, weight=weight, bias=bias), found.panels)

    at = start = 0
    for group in found.panels:
        for _ in range(group.count):
            panel = packed[at : at + (1 + K) * group.channels].reshape(1 + K, group.channels)
            assert (panel[0] == bias[start : start + group.channels]).all()
            assert (panel[1:] == weight[0, :, start : start + group.channels]).all()
            at += panel.size
            start += group.channels
    assert at == packed.size


def test_packed_depthwise_weights_are_bias_and_nine_factors_for_each_vector() -> None:
    layer = layers(Spec())[1]
    weight = np.arange(9 * 16, dtype=np.float32).reshape(9, 16)
    bias = -np.arange(16, dtype=np.float32)

    packed = depthwise(Operation(layer=layer, weight=weight, bias=bias), lanes=8).reshape(2, 10, 8)

    assert (packed[1, 0] == bias[8:]).all()
    assert (packed[1, 1:] == weight[:, 8:]).all()


@pytest.mark.parametrize(
    ("fields", "of", "kernel"),
    [
        ({"width": 1.0}, AVX512VBMI, "dwk_stem_i8__avx512vnni"),
        ({"width": 0.75}, AVX512VBMI, "dwk_stem_abreast_i8__avx512vbmi"),
        ({"width": 0.25}, AVX512VBMI, "dwk_stem_abreast_i8__avx512vbmi"),
        ({"width": 0.25}, AVX512VNNI, "dwk_stem_i8__avxvnni"),
        ({"width": 0.25, "unit_strides": (0,)}, AVX512VBMI, "dwk_stem_i8__avxvnni"),
        ({"width": 0.25, "channels": 1}, AVX512VBMI, "dwk_product_i8__avxvnni"),
        ({"width": 0.25}, AVX2, "dwk_stem_i8__avx2"),
        ({"width": 0.25}, PORTABLE, "dwk_product_i8__"),
    ],
    ids=named,
)
def test_the_first_convolution_has_the_kernel_for_its_channels_and_the_machine(
    fields: dict[str, Any], of: Instructions, kernel: str
) -> None:
    spec = Spec(**{"resolution": 64, **fields})
    machine = replace(AVX512, features=of.needs)

    found = plan(spec, default_preprocessing(64, spec.channels), machine, Choices(precision="int8")).steps[0].kernels[0]

    assert f"{found.base}__{found.instructions.name}" == kernel


def test_the_memory_for_preparing_a_frame_is_the_one_that_its_header_states() -> None:
    # model.c does not compile when they differ, which every test that compiles one checks; this is the formula's ends.
    # Windows of 515 and of 3,593 pixels. The last part is a row in work, of four bytes a pixel.
    assert prepare_bytes(default_preprocessing(224, 3)) == 4 * (515 + 6144 + 1025) + 16384 + 4 * 1232
    assert prepare_bytes(default_preprocessing(32, 3)) == 4 * (3593 + 14376 + 1025) + 16384 + 4 * 3676


@pytest.mark.parametrize(
    ("level", "zero_points", "expected"),
    [
        ("vbmi_intel", False, {"middle", "rounding"}),
        ("vnni", False, {"middle", "rounding"}),
        ("amx", False, {"middle", "rounding"}),
        ("vbmi_intel", True, set()),
        ("vbmi", False, set()),
    ],
)
def test_two_operations_round_on_intel_where_they_are_proven(level: str, zero_points: bool, expected: set[str]) -> None:
    model = random_quantized(Spec(width=0.25, resolution=64, classes=3), 1, hidden_zero_points=zero_points)
    machine = next(row.machine for row in LEVELS if row.name == level)
    said = emit(model, target_name="test", machine=machine).model_c

    found = re.findall(r"static const dwk_rounding (\w+) = \{[^}]*\.fused = 1\};", said)
    assert set(found) == expected


def test_a_network_that_needs_more_memory_than_c_addresses_is_refused() -> None:
    with pytest.raises(Refused, match=r"needs [\d,]+ bytes of memory for activations and at most 2,147,483,647"):
        planned(Spec(width=8, resolution=4096), SSE)


def test_the_machine_is_the_widest_that_a_compiler_knows_of() -> None:
    wide = frozenset({"__SSE2__", "__AVX__", "__AVX2__", "__AVX512F__"})
    assert machine_of(wide) == replace(AVX512, features=frozenset({"__AVX2__", "__AVX512F__"}))
    assert machine_of(frozenset({"__AVX2__"})) == replace(AVX, features=frozenset({"__AVX2__"}))
    assert machine_of(frozenset({"__aarch64__"})) == replace(NEON, features=frozenset({"__aarch64__"}), family="arm")
    assert machine_of(frozenset({"__x86_64__"})) == SSE
    assert machine_of(frozenset()) == PROCESSOR


def test_a_wrong_target_is_refused_with_near_names() -> None:
    with pytest.raises(Refused, match="there is no target 'hots'; is it host"):
        target("hots")


def test_names_of_targets_are_unique_and_explained() -> None:
    assert len({row.name for row in TARGETS}) == len(TARGETS)
    assert all(row.about for row in TARGETS)


def test_docs_list_every_target() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compiler.md").read_text(encoding="utf-8")

    assert [row.name for row in TARGETS if f"`{row.name}`" not in page] == []


@pytest.mark.parametrize("order", ["pixels", "planes"])
def test_every_value_of_a_map_has_a_place_of_its_own_inside(order: Literal["pixels", "planes"]) -> None:
    border = Padding(top=1, bottom=0, left=2, right=1)
    place = Map(shape=Shape(height=3, width=4, channels=5), border=border, apart=3, layout=Layout(order=order))
    y, x, c = np.meshgrid(np.arange(-1, 3), np.arange(-2, 5), np.arange(5), indexing="ij")
    places = place.start + y * place.row + x * place.pixel + c * place.channel

    assert len(np.unique(places)) == places.size
    assert (places.min(), places.max() < place.size) == (0, True)
    assert {"pixels": place.channel, "planes": place.pixel}[order] == 1
