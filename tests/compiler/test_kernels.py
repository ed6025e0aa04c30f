"""Every kernel in several forms against numpy, on shapes that follow from its tile, with guards around its output."""

from __future__ import annotations

import ctypes
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.lower import golden
from depthwise.compiler.lower.lower import Operation
from depthwise.compiler.plan.forms import classifier, depthwise, pool, product
from depthwise.compiler.step import Form
from depthwise.kernels.headers import FOLDER, headers
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.portable.float32 import depthwise as packed_depthwise
from depthwise.kernels.portable.float32 import product as packed_product
from depthwise.kernels.table import KERNELS, fastest
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.network.layers import layers
from depthwise.network.reference import softmax
from depthwise.network.spec import Spec
from tools.emitted import STRICT, aligned, build, write_headers

Floats = NDArray[np.float32]

# pixels, rest, vectors, lanes
TILES = ((1, 0, 1, 8), (4, 3, 2, 4), (7, 0, 4, 16), (3, 2, 3, 8), (8, 1, 2, 16), (6, 5, 2, 8))
ACTIVATIONS = ("relu6", "relu")
LANES = (4, 8, 16)
LAYER = layers(Spec())[1]
GUARD = 64


def tiling(pixels: int, rest: int, vectors: int, lanes: int) -> tuple[Tiling, Panels]:
    panels = Panels(count=2, vectors=vectors, lanes=lanes)
    return Tiling(pixels=pixels, rest=rest, panels=(panels,)), panels


def portable(operation: Any) -> Kernel:
    return fastest(operation, "float32", frozenset())


PRODUCTS = [product(portable("product"), *tiling(*tile), activation) for tile in TILES for activation in ACTIVATIONS]
DEPTHWISE = [
    depthwise(portable(operation), lanes, activation)
    for operation in ("depthwise3x3s1", "depthwise3x3s2")
    for lanes in LANES
    for activation in ACTIVATIONS
]
POOLS = [pool(portable("pool"), lanes) for lanes in LANES]
CLASSIFIERS = [
    classifier(portable("classifier"), Panels(count=1, vectors=v, lanes=lanes))
    for v, lanes in ((1, 4), (3, 8), (7, 16))
]

P, I = "dwk_float *", "int32_t "  # noqa: E741
SIGNATURES = {
    "dwk_product": ("const dwk_product *", I, I, P, P, P),
    "dwk_depthwise": (P, I, I, I, I, I, I, P, P, I),
    "dwk_pool": (P, I, I, I, I, I, P),
    "dwk_classifier": (P, I, I, P, P),
    "dwk_softmax": (P, I, P),
    "dwk_pixels": ("const dwk_image *", I, I, "const uint8_t *", P, P),
    "dwk_border": ("const dwk_image *", I, I, I, I, P),
    "dwk_golden": (I, I, I, I, "uint8_t *"),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> ctypes.CDLL:
    """All forms under test, each as `test_<name>`."""
    folder = tmp_path_factory.mktemp("kernels")
    write_headers(folder)
    plain = ("dwk_softmax_f32", "dwk_pixels_u8f32", "dwk_border_f32", "dwk_golden_image")
    lines = [f'#include "{name}"' for name in ("dwk_image_f32.h", "dwk_softmax_f32.h", "dwk_golden.h")]
    forms = [*PRODUCTS, *DEPTHWISE, *POOLS, *CLASSIFIERS]
    for form in forms:
        lines += [f"#define {name} {value}" for name, value in form.macros] + [f'#include "{form.header}"']
    lines += [wrapper(name) for name in (*plain, *(form.name for form in forms))]
    (folder / "kernels.c").write_text("\n".join(lines) + "\n")
    build((*zig, *STRICT, "-O1", "-fPIC", "-shared", "-nostdlib", "-o", "kernels.so", "kernels.c"), folder)
    return ctypes.CDLL(str(folder / "kernels.so"))


def wrapper(name: str) -> str:
    kinds = next(kinds for start, kinds in SIGNATURES.items() if name.startswith(start))
    given = ", ".join(f"{kind}a{i}" for i, kind in enumerate(kinds))
    passed = ", ".join(f"a{i}" for i in range(len(kinds)))
    return f"void test_{name}({given});\nvoid test_{name}({given}) {{ {name}({passed}); }}"


def call(library: ctypes.CDLL, name: str, *arguments: Any) -> None:
    """Arrays are passed as addresses, tuples as a struct of whole numbers."""
    passed: list[Any] = []
    for value in arguments:
        if isinstance(value, np.ndarray):
            passed.append(ctypes.c_void_p(value.ctypes.data))
        elif isinstance(value, tuple):
            passed.append((ctypes.c_int32 * len(value))(*value))
        else:
            passed.append(ctypes.c_int32(value))
    library[f"test_{name}"](*passed)


def floats(values: NDArray[Any]) -> Floats:
    """A copy that begins at a multiple of 64, as the arena and the weights do."""
    place = aligned(4 * values.size, 0).view(np.float32)
    place[:] = values.ravel()
    return place


class Output:
    """Room for floats, full of what is not a number, between guards."""

    def __init__(self, size: int) -> None:
        self._memory = aligned(4 * (size + 2 * GUARD), 0xFF).view(np.float32)
        self.values = self._memory[GUARD : GUARD + size]

    def guards_hold(self) -> bool:
        return bool(np.isnan(self._memory[:GUARD]).all() and np.isnan(self._memory[-GUARD:]).all())


def activated(values: NDArray[np.float64], activation: str) -> NDArray[np.float64]:
    return np.clip(values, 0, 6 if activation == "relu6" else None)


def agree(found: Floats, expected: NDArray[np.float64], kernel: str) -> None:
    tolerance = next(k.tolerance for k in KERNELS if k.parse(kernel) is not None)
    assert np.isfinite(found).all()
    assert found == pytest.approx(expected.ravel(), rel=0, abs=tolerance * max(1, np.abs(expected).max()))


def ids(value: object) -> str:
    return value.name if isinstance(value, Form) else str(value)


@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize("form", PRODUCTS, ids=ids)
def test_products_are_the_sums_of_the_formula(form: Form, taps: int, library: ctypes.CDLL) -> None:
    macros = next(parsed for k in KERNELS if (parsed := k.parse(form.name)))
    pixels, rest, lanes = (int(macros[m]) for m in ("PIXELS", "REST", "LANES"))
    panels = Panels(count=2, vectors=int(macros["VECTORS"]), lanes=lanes)
    N = panels.count * panels.channels
    rng = np.random.default_rng(7)
    for depth, full, rows in itertools.product((1, 6), (1, 2), (1, 3)):
        W, step, gap = full * pixels + rest, depth + 2, 16
        row, tap, output_row = W * step + 3, 5, W * N + gap
        source = rng.normal(0, 2, rows * row + 3 * tap + depth + W * step)
        weight, bias = rng.normal(0, 1, (taps, depth, N)), rng.normal(0, 2, N)
        operation = Operation(layer=LAYER, weight=weight.astype(np.float32), bias=bias.astype(np.float32))
        output = Output(rows * output_row)
        shape = (taps, depth, tap, step, row, W, N, output_row)
        packed = floats(packed_product(operation, (panels,)))
        call(library, form.name, shape, panels.count, rows, floats(source), packed, output.values)

        at = np.arange(rows)[:, None] * row + np.arange(W) * step
        windows = source.astype(np.float32)[at[..., None, None] + np.arange(taps)[:, None] * tap + np.arange(depth)]
        expected = activated(
            np.einsum("yxtk,tkn->yxn", windows.astype(np.float64), weight) + bias, macros["ACTIVATION"]
        )
        found = output.values.reshape(rows, output_row)
        agree(found[:, : W * N].ravel(), expected, form.name)
        assert np.isnan(found[:, W * N :]).all()
        assert output.guards_hold()


@pytest.mark.parametrize("form", DEPTHWISE, ids=ids)
def test_depthwise_convolutions_are_the_sums_of_the_formula(form: Form, library: ctypes.CDLL) -> None:
    macros = dict(form.macros)
    lanes, activation = int(macros["DWK_LANES"]), macros["DWK_ACTIVATION"]
    stride = 2 if "s2" in form.name else 1
    rng = np.random.default_rng(11)
    for C, W, rows, extra in itertools.product((lanes, 3 * lanes), (1, 2, 5), (1, 2, 3), (0, 16)):
        columns, step = (W - 1) * stride + 3, C + extra
        source = rng.normal(0, 2, ((rows - 1) * stride + 3, columns, C)).astype(np.float32)
        weight, bias = rng.normal(0, 1, (9, C)).astype(np.float32), rng.normal(0, 1, C).astype(np.float32)
        packed = floats(packed_depthwise(Operation(layer=LAYER, weight=weight, bias=bias), lanes))
        output = Output(rows * W * step)
        for part in ((0, lanes), (lanes, C)):
            call(library, form.name, floats(source), columns * C, rows, W, C, *part, packed, output.values, step)

        windows = np.lib.stride_tricks.sliding_window_view(source, (3, 3), axis=(0, 1))[::stride, ::stride]
        sums = np.einsum("yxcij,ijc->yxc", windows.astype(np.float64), weight.reshape(3, 3, C).astype(np.float64))
        found = output.values.reshape(-1, step)
        agree(found[:, :C].ravel(), activated(sums + bias, activation), form.name)
        assert np.isnan(found[:, C:]).all()
        assert output.guards_hold()


@pytest.mark.parametrize("form", POOLS, ids=ids)
def test_a_pool_is_the_mean_of_each_channel(form: Form, library: ctypes.CDLL) -> None:
    C = 2 * int(dict(form.macros)["DWK_LANES"])
    for H, W in ((1, 1), (7, 7), (3, 5), (64, 64)):
        source = np.random.default_rng(1).uniform(0, 6, (H, W, C)).astype(np.float32)
        output = Output(C)
        for part in ((0, C // 2), (C // 2, C)):
            call(library, form.name, floats(source), H, W, C, *part, output.values)

        agree(output.values, source.astype(np.float64).mean(axis=(0, 1)), form.name)
        assert output.guards_hold()


@pytest.mark.parametrize("form", CLASSIFIERS, ids=ids)
def test_sums_of_labels_are_those_of_the_formula_and_zero_after_the_last(form: Form, library: ctypes.CDLL) -> None:
    macros = {name: int(value) for name, value in form.macros}
    panels = Panels(count=2, vectors=macros["DWK_VECTORS"], lanes=macros["DWK_LANES"])
    K, N = 13, panels.count * panels.channels - 1
    rng = np.random.default_rng(2)
    features, weight, bias = rng.uniform(0, 6, K), rng.normal(0, 1, (1, K, N)), rng.normal(0, 1, N)
    operation = Operation(layer=LAYER, weight=weight.astype(np.float32), bias=bias.astype(np.float32))
    output = Output(N + 1)
    call(library, form.name, floats(features), K, 2, floats(packed_product(operation, (panels,))), output.values)

    agree(output.values[:-1], features @ weight[0] + bias, form.name)
    assert output.values[-1] == 0
    assert output.guards_hold()


def test_probabilities_are_the_softmax_of_the_oracle(library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(4)
    wide = np.concatenate([[0.0, -87.5, -86.9, -1000.0], -rng.uniform(0, 90, 500)])
    for sums in (np.array([1.0, 2.0]), rng.normal(0, 8, 1000), wide, np.full(7, 3e38), np.array([-3e38, 3e38])):
        output = Output(sums.size)
        call(library, "dwk_softmax_f32", floats(sums), sums.size, output.values)

        expected = softmax(sums.astype(np.float32).astype(np.float64)).astype(np.float64)
        agree(output.values, expected, "dwk_softmax_f32")
        seen = expected > 1e-36
        assert output.values[seen] == pytest.approx(expected[seen], rel=1e-6)
        assert output.guards_hold()


@pytest.mark.parametrize("place", [0, 7, 8, 10])
def test_a_sum_that_is_no_number_is_not_hidden(place: int, library: ctypes.CDLL) -> None:
    sums, output = np.linspace(-3, 3, 11), Output(11)
    sums[place] = np.nan

    call(library, "dwk_softmax_f32", floats(sums), sums.size, output.values)

    assert np.isnan(output.values).all()


@pytest.mark.parametrize(("C", "width"), [(1, 5), (3, 16), (3, 17), (1, 100), (3, 33)])
def test_pixels_become_floats_less_their_mean_with_zeros_around(C: int, width: int, library: ctypes.CDLL) -> None:  # noqa: N803
    H, left, right = 4, C, 2 * C
    pixels = np.random.default_rng(3).integers(0, 256, (H, width, C), np.uint8)
    mean = np.array([123.675, 116.28, 103.53][:C], np.float32)
    for first, rows in ((-1, 3), (0, 4), (2, 3), (-2, 8)):
        output = Output(rows * (left + width * C + right))
        image = (H, width * C, left, right)
        call(library, "dwk_pixels_u8f32", image, first, rows, pixels, floats(np.resize(mean, 48)), output.values)

        whole = np.pad(pixels.astype(np.float32) - mean, ((2, 2), (1, 2), (0, 0)))
        assert output.values.tolist() == whole[first + 2 : first + 2 + rows].ravel().tolist()
        assert output.guards_hold()


def test_a_border_is_zeros_and_leaves_the_rest_alone(library: ctypes.CDLL) -> None:
    for above, below, left, right in itertools.product((0, 1), repeat=4):
        H, W, C = 3, 5, 8
        output = Output((above + H + below) * (left + W + right) * C)
        output.values[:] = 1
        for part in ((0, 0), (0, 1), (1, H), (H, H)):
            call(library, "dwk_border_f32", (H, W * C, left * C, right * C), above, below, *part, output.values)

        expected = np.pad(np.ones((H, W, C)), ((above, below), (left, right), (0, 0)))
        assert output.values.tolist() == expected.ravel().tolist()
        assert output.guards_hold()


@pytest.mark.parametrize("fields", [{"resolution": 32}, {"resolution": 97, "channels": 1}], ids=str)
def test_golden_images_are_the_same_in_c_and_python(fields: dict[str, Any], library: ctypes.CDLL) -> None:
    spec = Spec(**fields)
    expected = golden.images(spec)
    for number in range(golden.CASES):
        found = np.zeros(expected.shape[1:], np.uint8)
        call(library, "dwk_golden_image", number, spec.resolution, spec.resolution, spec.channels, found)

        assert (found == expected[number]).all()
    assert len(np.unique(expected[3])) > 200


def test_every_row_of_the_table_has_its_header_and_no_two_headers_share_a_name() -> None:
    paths = list(FOLDER.rglob("*.h"))

    assert {kernel.header for kernel in KERNELS} - {path.name for path in paths} == set()
    assert len(headers()) == len(paths)


@pytest.mark.parametrize("form", [*PRODUCTS, *DEPTHWISE, *POOLS, *CLASSIFIERS], ids=ids)
def test_a_name_says_the_form_and_the_form_its_name(form: Form) -> None:
    parsed = [(k.header, k.parse(form.name)) for k in KERNELS if k.parse(form.name) is not None]

    assert parsed == [(form.header, {name.removeprefix("DWK_"): value for name, value in form.macros})]


def test_the_page_on_names_lists_every_kernel() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kernel-names.md").read_text(encoding="utf-8")
    missing = [k.name for k in KERNELS if f"`{k.name if k.name.isidentifier() else k.base}`" not in page]

    assert missing == []
