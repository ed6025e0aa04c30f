"""Strassen's products: the identities in whole numbers, every form of the kernel against plain products, the choice."""

from __future__ import annotations

import ctypes
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from conftest import SmallModel
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.lower.lower import Operation
from depthwise.compiler.plan.forms import product
from depthwise.compiler.plan.plan import Plan, plan
from depthwise.compiler.step import Form
from depthwise.kernels.machine import Machine
from depthwise.kernels.portable.float32 import strassen as packed
from depthwise.kernels.portable.strassen import strassen
from depthwise.kernels.table import KERNELS, fastest
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.kernels.x86.makers import INTEL
from depthwise.network import reference
from depthwise.network.layers import layers
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec
from tools.emitted import AVX, AVX512, NEON, SSE, STRICT, aligned, bordered, build, named, stepper, write_headers

Floats = NDArray[np.float32]

LAYER = layers(Spec())[2]
XEON = replace(AVX512, maker=INTEL)
GUARD = 64
# pixels, rest, vectors, lanes, bytes at a time
TILES = (
    (1, 0, 1, 4, 0),
    (4, 3, 2, 8, 0),
    (7, 0, 2, 16, 0),
    (7, 5, 2, 16, 0),
    (10, 1, 2, 4, 0),
    (3, 2, 4, 8, 0),
    (14, 0, 2, 16, 16),
    (10, 3, 2, 16, 16),
    (5, 4, 2, 4, 8),
)


def form(pixels: int, rest: int, vectors: int, lanes: int, bytes_: int, activation: str) -> Form:
    panels = Panels(count=2, vectors=vectors, lanes=lanes)
    kernel = fastest("strassen", "float32", frozenset())
    return product(kernel, Tiling(pixels=pixels, rest=rest, panels=(panels,), bytes=bytes_), panels, activation)


def part(each: Form, name: str) -> int:
    """A number of a form."""
    return int(dict(each.macros).get(f"DWK_{name}", "0"))


FORMS = [form(*tile, activation) for tile, activation in zip(TILES, itertools.cycle(("relu6", "relu")))]


@pytest.fixture(scope="module", params=["zig", "gcc"])
def library(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> ctypes.CDLL:
    """All forms as `test_<name>`, by each compiler."""
    found = request.getfixturevalue(request.param)
    compiler = (found, "-march=native") if request.param == "gcc" else found
    folder = tmp_path_factory.mktemp("strassen")
    write_headers(folder)
    lines = []
    for each in FORMS:
        lines += [f"#define {name} {value}" for name, value in each.macros] + [f'#include "{each.header}"']
        head = (
            f"void test_{each.name}(const dwk_product *a, int32_t b, int32_t c, float *d, float *e, float *f, float *g)"
        )
        # In two parts, as two threads have it: the sums of the first pair of tiles, then the others and the products.
        calls = f"{each.name}(a, 0, 1, 0, c, d, e, f, g); {each.name}(a, 1, c * a->width, b, c, d, e, f, g);"
        lines += [f"{head};", f"{head} {{ {calls} }}"]
    (folder / "kernels.c").write_text("\n".join(lines) + "\n")
    flags = ("-O1", "-ffp-contract=fast", "-fPIC", "-shared", "-nostdlib", "-o", "kernels.so", "kernels.c")
    build((*compiler, *STRICT, *flags), folder)
    return ctypes.CDLL(str(folder / "kernels.so"))


class Room:
    """Floats between guards, full of what is not a number until they are filled."""

    def __init__(self, size: int) -> None:
        self._memory = aligned(4 * (size + 2 * GUARD), 0xFF).view(np.float32)
        self.values = self._memory[GUARD : GUARD + size]

    def guards_hold(self) -> bool:
        return bool(np.isnan(self._memory[:GUARD]).all() and np.isnan(self._memory[-GUARD:]).all())


def floats(values: NDArray[Any]) -> Floats:
    place = aligned(4 * values.size, 0).view(np.float32)
    place[:] = values.ravel()
    return place


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_the_seven_products_are_those_of_the_matrices_in_whole_numbers(
    pixels: int, half: int, width: int, pairs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.integers(-50, 50, (2 * half, 2 * width * pairs))
    bias = rng.integers(-50, 50, 2 * width * pairs)
    A = rng.integers(-50, 50, (2 * pixels, 2 * half))
    operation = Operation(layer=LAYER, weight=weight[None].astype(np.float32), bias=bias.astype(np.float32))
    rows = packed(operation, Panels(count=2 * pairs, vectors=1, lanes=width)).astype(np.int64)
    (a11, a12), (a21, a22) = (np.hsplit(rows_of, 2) for rows_of in np.vsplit(A, 2))
    s1 = a21 + a22
    s2 = s1 - a11

    for pair, row in enumerate(rows):
        first, more = row[: 2 * width].reshape(2, width)
        b11, b21, t2, t3, minus_t4, t1, b22 = row[2 * width :].reshape(7, half, width)
        p1 = first + a11 @ b11
        u2 = p1 + s2 @ t2
        u3 = u2 + (a11 - a21) @ t3
        p5 = more + s1 @ t1
        found = np.block(
            [[p1 + a12 @ b21, u2 + p5 + (a12 - s2) @ b22], [u3 + a22 @ minus_t4, u3 + p5]],
        )
        alone = np.hstack([p1 + a12 @ b21, p1 + more + a11 @ t1 + a12 @ b22])

        channels = slice(2 * width * pair, 2 * width * (pair + 1))
        expected = A @ weight[:, channels] + bias[channels]
        assert (found == expected).all()
        assert (alone == expected[:pixels]).all()


def run(library: ctypes.CDLL, each: Form, depth: int, across: int, rows: int, values: Any) -> tuple[Floats, Any]:
    """The kernel's outputs, (rows, W, N), and the exact sums before the activation."""
    panels = Panels(count=4, vectors=part(each, "VECTORS"), lanes=part(each, "LANES"))
    N, W, step = panels.count * panels.channels, across * part(each, "PIXELS") + part(each, "REST"), depth + 5
    row, output_row = W * step + 3, W * N + 16
    source, weight, bias = values(rows * row), values(depth * N).reshape(1, depth, N), values(N)
    operation = Operation(layer=LAYER, weight=weight.astype(np.float32), bias=bias.astype(np.float32))
    output, sums = Room(rows * output_row), Room(rows * W * depth)
    shape = (ctypes.c_int32 * 8)(1, depth, 0, step, row, W, N, output_row)
    weights, taken = floats(packed(operation, panels)), floats(source)
    addresses = (ctypes.c_void_p(a.ctypes.data) for a in (taken, sums.values, weights, output.values))
    library[f"test_{each.name}"](shape, 2, rows, *addresses)

    assert output.guards_hold()
    assert sums.guards_hold()
    found = output.values.reshape(rows, output_row)
    assert np.isnan(found[:, W * N :]).all()
    at = np.arange(rows)[:, None, None] * row + np.arange(W)[:, None] * step + np.arange(depth)
    taken = source.astype(np.float32)[at].astype(np.float64)
    return found[:, : W * N].reshape(rows, W, N), taken @ operation.weight[0].astype(np.float64) + operation.bias


@pytest.mark.parametrize("each", FORMS, ids=lambda each: each.name)
def test_sums_are_those_of_the_plain_product(each: Form, library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(7)
    top = 6 if "relu6" in each.name else None
    tolerance = next(k.tolerance for k in KERNELS if k.parse(each.name) is not None)
    for depth, across, rows in itertools.product(
        (8, 24, 40) if part(each, "BYTES") else (2, 6, 40), (1, 2, 3), (1, 2, 3)
    ):
        found, expected = run(library, each, depth, across, rows, lambda size: rng.normal(0, 1, size))

        expected = np.clip(expected, 0, top)
        assert np.abs(found - expected).max() <= tolerance * max(1, np.abs(expected).max())


@pytest.mark.parametrize("each", FORMS, ids=lambda each: each.name)
def test_sums_of_small_whole_numbers_are_exact(each: Form, library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(8)
    found, expected = run(library, each, 24, 3, 3, lambda size: rng.integers(-20, 21, size).astype(float))

    assert (found == np.clip(expected, 0, 6 if "relu6" in each.name else None)).all()


@pytest.mark.parametrize("each", FORMS, ids=lambda each: each.name)
def test_a_name_says_the_form_and_the_form_its_name(each: Form) -> None:
    parsed = [(k.header, k.parse(each.name)) for k in KERNELS if k.parse(each.name) is not None]

    assert parsed == [(each.header, {name.removeprefix("DWK_"): value for name, value in each.macros})]


@given(
    st.integers(1, 200),
    st.integers(1, 4),
    st.integers(1, 64),
    st.integers(1, 160),
    st.sampled_from((AVX, AVX512, XEON)),
)
def test_tiles_fit_into_registers_and_there_are_two(
    width: int, rows: int, depth: int, channels: int, machine: Machine
) -> None:
    found = strassen(width, rows, 8 * depth, 8 * channels, machine)

    if found is not None:
        (panels,) = found.panels
        assert panels.count % 2 == 0
        assert 0 <= 8 * channels - panels.count * panels.channels < 2 * panels.channels
        assert width // found.pixels * found.pixels + found.rest == width
        assert rows * (width // found.pixels) >= 2
        assert (found.pixels + 1) * panels.vectors + 1 <= machine.registers


def chosen(plan: Plan) -> list[str]:
    return [step.layers[-1].name for step in plan.steps if step.strassen is not None]


@pytest.mark.parametrize(("width", "resolution", "narrow", "small"), [(1.0, 224, 1, 2), (0.5, 160, 2, 0)])
def test_it_is_chosen_for_many_channels_but_for_few_pixels_of_many_weights(
    width: float, resolution: int, narrow: int, small: int
) -> None:
    spec = Spec(width=width, resolution=resolution)

    found = chosen(plan(spec, default_preprocessing(resolution, 3), AVX512))

    # `narrow` layers have 32 channels or fewer, `small` ones maps of 7 x 7 and more than 2^18 weights.
    pointwise = [layer.name for layer in layers(spec) if layer.kind == "pointwise"]
    assert found == pointwise[narrow : len(pointwise) - small]


@pytest.mark.parametrize(("width", "resolution", "narrow", "small"), [(1.0, 224, 2, 2), (0.5, 160, 4, 2)])
def test_on_intel_it_is_chosen_for_large_tiles_of_many_values(
    width: float, resolution: int, narrow: int, small: int
) -> None:
    spec = Spec(width=width, resolution=resolution)
    steps = plan(spec, default_preprocessing(resolution, 3), XEON).steps

    # `narrow` layers have 64 values a pixel or fewer, `small` ones maps too narrow for a large tile.
    pointwise = [layer.name for layer in layers(spec) if layer.kind == "pointwise"]
    found = [step for step in steps if step.strassen is not None]
    assert [step.layers[-1].name for step in found] == pointwise[narrow : len(pointwise) - small]
    assert {(step.strassen.pixels, step.strassen.bytes) for step in found if step.strassen} == {
        (14 if resolution == 224 else 10, 16)
    }


@pytest.mark.parametrize("machine", [SSE, NEON], ids=named)
def test_it_is_not_chosen_where_it_was_not_measured(machine: Machine) -> None:
    assert not chosen(plan(Spec(), default_preprocessing(224, 3), machine))


def test_int8_multiplies_the_plain_way() -> None:
    assert not chosen(plan(Spec(), default_preprocessing(224, 3), AVX512, Choices(precision="int8")))


# An odd number of tiles of 11 pixels; 160 channels, of which 32 are left, and tiles with a rest; 80 and 336 channels,
# of which 16 are left, and 168, which are no multiple of a wide vector.
NETWORKS: list[tuple[dict[str, Any], Machine]] = [
    ({"width": 0.75, "resolution": 88, "shallow": True}, AVX512),
    ({"width": 1.25, "resolution": 101, "activation": "relu", "shallow": True}, AVX512),
    ({"width": 0.65, "resolution": 68, "padding": "same", "shallow": True}, AVX512),
    ({"width": 0.65, "resolution": 68, "padding": "same", "shallow": True}, AVX),
    ({"width": 0.75, "resolution": 88, "shallow": True}, XEON),
    ({"width": 1.25, "resolution": 101, "activation": "relu", "shallow": True}, XEON),
]


@pytest.mark.parametrize(("fields", "machine"), NETWORKS, ids=named)
def test_a_network_with_it_is_that_of_the_oracle_and_reads_nothing_that_is_not_written(
    fields: dict[str, Any], machine: Machine, small_model: SmallModel, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    model = small_model(seed=3, **fields)
    size = model.spec.resolution
    pixels = np.random.default_rng(5).integers(0, 256, (1, size, size, 3), np.uint8)
    oracle = reference.run(model, pixels, keep=True).activations
    native = stepper(model, machine, tmp_path, zig)
    assert chosen(native.emitted.plan)

    for number, step in enumerate(native.emitted.plan.steps):
        native.step(number, pixels)
        if step.strassen is None:
            continue
        found, _ = bordered(step.output, native.floats(step.name))
        expected = oracle[step.layers[-1].name][0]
        assert np.abs(found - expected).max() <= 1e-5 * max(1, np.abs(expected).max()), step.name
        assert native.guards_hold(), step.name


def test_an_artifact_says_where_it_is_used_and_its_weights_take_7_for_4(small_model: SmallModel) -> None:
    model = small_model(width=0.5, resolution=64)

    with_it, without = (
        emit(model, target_name="test", machine=AVX512, choices=Choices(strassen=wanted)) for wanted in (True, False)
    )

    layers_of = [step.layers[-1] for step in with_it.plan.steps if step.strassen is not None]
    factors = sum(layer.input.channels * layer.output.channels for layer in layers_of)
    assert with_it.packed.offsets["golden"] - without.packed.offsets["golden"] == factors * 3 / 4
    assert not chosen(without.plan)
    assert '\\"strassen\\": [' in with_it.model_c
    assert all(f'\\"{name}\\"' in with_it.model_c for name in chosen(with_it.plan))
    assert "strassen" not in without.model_c
