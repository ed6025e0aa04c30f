"""Every figure of the paper's cost tables, with its derivation; where a table errs, docs/published-errors.md.

Source of the figures: arXiv:1704.04861, Tables 1 to 7 and 9; the sixteen checkpoints are those of
tensorflow/models, research/slim/nets/mobilenet_v1.md.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from depthwise.cost import formulas
from depthwise.cost.report import report, totals
from depthwise.network.layers import Layer, Padding, Shape, layers
from depthwise.network.spec import Spec

FLOAT = formulas.precision("float32")
ERRORS = Path(__file__).parents[2] / "docs" / "published-errors.md"

# alpha, resolution, exact multiply-adds, printed by the paper (None where it has no such row), printed by slim.
SIXTEEN = (
    (1.0, 224, 568_740_352, 569, 569),
    (1.0, 192, 418_121_728, 418, 418),
    (1.0, 160, 290_675_200, 290, 291),
    (1.0, 128, 186_400_768, 186, 186),
    (0.75, 224, 325_400_448, 325, 317),
    (0.75, 192, 239_273_472, None, 233),
    (0.75, 160, 166_396_800, None, 162),
    (0.75, 128, 106_770_432, None, 104),
    (0.5, 224, 149_497_088, 149, 150),
    (0.5, 192, 109_970_432, None, 110),
    (0.5, 160, 76_524_800, 76, 77),
    (0.5, 128, 49_160_192, None, 49),
    (0.25, 224, 41_030_272, 41, 41),
    (0.25, 192, 30_212_608, None, 34),
    (0.25, 160, 21_059_200, None, 21),
    (0.25, 128, 13_570_048, None, 14),
)
IDS = [f"{width:g}-{resolution}" for width, resolution, *_ in SIXTEEN]


def convolution(kind: str, side: int, inputs: int, outputs: int) -> Layer:
    """One layer of stride 1 on a square output, made by hand, not by the table of layers."""
    return Layer(
        name=kind,
        kind=kind,  # type: ignore[arg-type]
        input=Shape(height=side, width=side, channels=inputs),
        output=Shape(height=side, width=side, channels=outputs),
        kernel=1 if kind == "pointwise" else 3,
        padding=Padding() if kind == "pointwise" else Padding(top=1, bottom=1, left=1, right=1),
    )


def test_table_1_the_body_has_the_published_strides_and_shapes_but_for_the_last_stride() -> None:
    # (stride, input side, input channels) of the 13 depthwise rows. The paper prints stride 2 in the last one, which
    # would turn 7x7 into 4x4, while the pointwise row after it and the pool take 7x7x1024.
    printed = (
        (1, 112, 32), (2, 112, 64), (1, 56, 128), (2, 56, 128), (1, 28, 256), (2, 28, 256),
        *((1, 14, 512),) * 5, (2, 14, 512), (2, 7, 1024),
    )  # fmt: skip
    table = layers(Spec())
    ours = tuple((row.stride, row.input.height, row.input.channels) for row in table if row.kind == "depthwise")

    assert printed[:-1] == ours[:-1]
    assert ours[-1] == (1, 7, 1024)
    assert Shape(height=7, width=7, channels=1024) == table[-2].input
    assert (table[0].stride, table[0].input.height, table[0].input.channels) == (2, 224, 3)


@pytest.mark.parametrize(
    ("kind", "macs_percent", "weights_percent"),
    [
        # 1x1: sum of M N D_F D_F over the 13 pointwise rows = 539,492,352 of 568,740,352; 3,139,584 of 4,209,088.
        ("pointwise", 94.857, 74.591),
        # dw 3x3: sum of 9 M D_F D_F = 17,385,984; 9 (32 + 64 + 128 + 128 + 256 + 256 + 6*512 + 1024) = 44,640.
        ("depthwise", 3.057, 1.061),
        # conv 3x3: 9 * 3 * 32 * 112 * 112 = 10,838,016, where the paper prints 1.19; 9 * 3 * 32 = 864.
        ("stem", 1.906, 0.021),
        # fully connected: 1024 * 1000, both.
        ("classifier", 0.180, 24.328),
    ],
)
def test_table_2_shares_of_each_kind_count_weights_without_batch_normalisation(
    kind: str, macs_percent: float, weights_percent: float
) -> None:
    found = {entry.kind: entry for entry in report(Spec()).kinds}

    assert macs_percent == round(float(100 * found[kind].macs_share), 3)  # type: ignore[index]
    assert weights_percent == round(float(100 * found[kind].weights_share), 3)  # type: ignore[index]


def test_table_2_printed_shares_do_not_add_up_and_exact_ones_do() -> None:
    assert round(94.86 + 3.06 + 1.19 + 0.18, 2) == 99.29
    assert sum(kind.macs_share for kind in report(Spec()).kinds) == 1


def test_table_3_one_layer_of_14x14x512_in_four_forms() -> None:
    # full convolution: 3*3*512*512*14*14 = 462.42 M and 3*3*512*512 = 2.36 M
    full = convolution("standard", 14, 512, 512)
    assert (formulas.macs(full), formulas.weights(full)) == (462_422_016, 2_359_296)
    # separable: 9*512*196 + 512*512*196 = 52.28 M (printed 52.3) and 9*512 + 512*512 = 0.27 M
    assert separable(14, 512) == (52_283_392, 266_752)
    # alpha 0.75, so 384 channels: 9*384*196 + 384*384*196 = 29.58 M (29.6) and 0.15 M
    assert separable(14, 384) == (29_578_752, 150_912)
    # and rho 0.714, so 10x10: 9*384*100 + 384*384*100 = 15.09 M (15.1) and 0.15 M as before
    assert separable(10, 384) == (15_091_200, 150_912)


def test_table_3_last_rows_are_layers_of_the_networks_of_that_width_and_resolution() -> None:
    rows = [row for row in layers(Spec(width=0.75, resolution=160)) if row.name.startswith("blocks.3.1.")]

    assert sum(map(formulas.macs, rows)) == 15_091_200
    assert pytest.approx(0.714, abs=5e-4) == 160 / 224


def separable(side: int, channels: int) -> tuple[int, int]:
    parts = (convolution("depthwise", side, channels, channels), convolution("pointwise", side, channels, channels))
    return sum(map(formulas.macs, parts)), sum(map(formulas.weights, parts))


def test_table_4_the_network_of_standard_convolutions() -> None:
    twin = totals(Spec().twin(), FLOAT)

    # Stem 10,838,016 and classifier 1,024,000 as before; 13 blocks of 9 M N D_F D_F: five that double channels cost
    # 9*32*64*112*112 = 231,211,008 each (as sides halve, M N grows fourfold), eight that keep them cost twice that.
    blocks = 5 * 231_211_008 + 8 * 462_422_016
    assert 10_838_016 + blocks + 1_024_000 == twin.macs == 4_867_293_184
    # 864 + 9 * (sum of M N over the blocks) + 1024*1000, printed 29.3 M
    assert twin.weights == 29_281_120
    assert "29.3" == f"{twin.parameters / 1e6:.1f}" == f"{twin.weights / 1e6:.1f}"
    # The printed 4866 is what remains without the classifier.
    assert 4866 == round((twin.macs - 1_024_000) / 1e6) != round(twin.macs / 1e6)


def test_table_4_the_network_itself() -> None:
    found = totals(Spec(width=1, resolution=224, classes=1000), FLOAT)

    assert found.macs == 568_740_352
    # 4,209,088 weights, a scale and a shift for each of 10,944 normalised channels, 1000 biases
    assert 4_209_088 + 2 * 10_944 + 1000 == found.parameters == 4_231_976
    assert 2 * 10_944 == found.statistics == 21_888


def test_table_5_the_shallow_network_lacks_five_blocks_of_14x14x512() -> None:
    shallow = totals(Spec(shallow=True), FLOAT)

    # 568,740,352 - 5 * 52,283,392, printed 307 M; 4,209,088 - 5 * 266,752 weights, printed 2.9 M
    assert 568_740_352 - 5 * 52_283_392 == shallow.macs == 307_323_392
    assert 4_209_088 - 5 * 266_752 == shallow.weights == 2_875_328
    assert (f"{shallow.macs / 1e6:.0f}", f"{shallow.parameters / 1e6:.1f}") == ("307", "2.9")
    # beside it 0.75 MobileNet, printed 325 M and 2.6 M
    thin = totals(Spec(width=0.75), FLOAT)
    assert (f"{thin.macs / 1e6:.0f}", f"{thin.parameters / 1e6:.1f}") == ("325", "2.6")


@pytest.mark.parametrize(
    ("width", "parameters", "printed"),
    [(1.0, 4_231_976, "4.2"), (0.75, 2_585_560, "2.6"), (0.5, 1_331_592, "1.3"), (0.25, 470_072, "0.5")],
)
def test_table_6_parameters_of_each_width(width: float, parameters: int, printed: str) -> None:
    found = totals(Spec(width=width), FLOAT)

    assert parameters == found.parameters
    assert printed == f"{found.parameters / 1e6:.1f}"


@pytest.mark.parametrize(("width", "resolution", "exact", "paper", "slim"), SIXTEEN, ids=IDS)
def test_tables_6_7_and_9_multiply_adds_of_the_sixteen_networks(
    width: float, resolution: int, exact: int, paper: int | None, slim: int
) -> None:
    found = totals(Spec(width=width, resolution=resolution), FLOAT)

    assert exact == found.macs
    # The paper cuts 290.68 and 76.52 off to 290 and 76 where it rounds 568.74 up to 569.
    assert paper is None or paper in (exact // 10**6, round(exact / 1e6))


# Weights and multiply-adds of the 27 convolutions of two networks, as the docstring of slim's mobilenet_v1.py lists
# them (tensorflow/models, research/slim/nets/mobilenet_v1.py, 0cf9932f): an independent count of each layer.
SLIM_WIDE = (
    (864, 10_838_016),
    (288, 3_612_672), (2_048, 25_690_112),
    (576, 1_806_336), (8_192, 25_690_112),
    (1_152, 3_612_672), (16_384, 51_380_224),
    (1_152, 903_168), (32_768, 25_690_112),
    (2_304, 1_806_336), (65_536, 51_380_224),
    (2_304, 451_584), (131_072, 25_690_112),
    *((4_608, 903_168), (262_144, 51_380_224)) * 5,
    (4_608, 225_792), (524_288, 25_690_112),
    (9_216, 451_584), (1_048_576, 51_380_224),
)  # fmt: skip
SLIM_THIN = (
    (648, 2_654_208),
    (216, 884_736), (1_152, 4_718_592),
    (432, 442_368), (4_608, 4_718_592),
    (864, 884_736), (9_216, 9_437_184),
    (864, 221_184), (18_432, 4_718_592),
    (1_728, 442_368), (36_864, 9_437_184),
    (1_728, 110_592), (73_728, 4_718_592),
    *((3_456, 221_184), (147_456, 9_437_184)) * 5,
    (3_456, 55_296), (294_912, 4_718_592),
    (6_912, 110_592), (589_824, 9_437_184),
)  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "listed", "sums"),
    [
        (Spec(), SLIM_WIDE, (3_185_088, 567_716_352)),
        (Spec(width=0.75, resolution=128), SLIM_THIN, (1_800_144, 106_002_432)),
    ],
    ids=["1-224", "0.75-128"],
)
def test_every_convolution_costs_what_slim_lists_in_its_source(
    spec: Spec, listed: tuple[tuple[int, int], ...], sums: tuple[int, int]
) -> None:
    table = layers(spec)[:-2]

    assert listed == tuple((formulas.weights(layer), formulas.macs(layer)) for layer in table)
    assert sums == (sum(map(formulas.weights, table)), sum(map(formulas.macs, table)))


def test_tables_6_and_7_a_width_acts_nearly_squared_and_a_resolution_squared() -> None:
    def body(width: float, resolution: int) -> int:
        return totals(Spec(width=width, resolution=resolution), FLOAT).macs - int(1024 * width) * 1000

    # Resolution acts on every layer but the classifier: exactly rho squared.
    assert Fraction(body(1, 160), body(1, 224)) == Fraction(160, 224) ** 2
    # Width: the pointwise layers alone follow alpha squared exactly.
    wide, half = ({k.kind: k.macs for k in report(Spec(width=w)).kinds}["pointwise"] for w in (1, 0.5))
    assert Fraction(half, wide) == Fraction(1, 4)


def test_slim_prints_five_wrong_figures_and_four_of_them_leave_out_the_stem() -> None:
    wrong = [entry for entry in SIXTEEN if abs(entry[4] - entry[2] / 1e6) > 1]

    assert [entry[:2] for entry in wrong] == [(0.75, 224), (0.75, 192), (0.75, 160), (0.75, 128), (0.25, 192)]
    for width, resolution, exact, _, slim in wrong[:4]:
        stem = formulas.macs(layers(Spec(width=width, resolution=resolution))[0])
        assert slim == round((exact - stem) / 1e6)


def test_slim_prints_parameters_with_three_numbers_a_normalised_channel() -> None:
    for width, printed in ((1.0, "4.24"), (0.75, "2.59"), (0.5, "1.34"), (0.25, "0.47")):
        found = totals(Spec(width=width), FLOAT)
        assert printed == f"{(found.parameters + found.statistics // 2) / 1e6:.2f}"


def test_the_page_of_published_errors_has_every_exact_figure() -> None:
    text = ERRORS.read_text(encoding="utf-8")

    for _, _, exact, *_ in SIXTEEN:
        assert f"{exact:,}" in text
    for figure in ("4,867,293,184", "4,866,269,184", "1.906 %", "99.29 %", "10,838,016"):
        assert figure in text
