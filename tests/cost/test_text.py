"""How figures are written: short, and never as another number."""

from __future__ import annotations

from fractions import Fraction

import pytest

from depthwise.cost import text
from depthwise.network.spec import Spec


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0"),
        (16, "16"),
        (4_608, "4.6 k"),
        (451_584, "0.45 M"),
        (568_740_352, "568.74 M"),
        (4_867_293_184, "4,867.29 M"),
        (11_628_561_563_648, "11,628.56 G"),
    ],
)
def test_counts_are_written_in_millions_but_for_the_smallest_and_the_largest(count: int, written: str) -> None:
    assert text.millions(count) == written


@pytest.mark.parametrize(
    ("count", "written"),
    [(0, "0 B"), (8_096, "8,096 B"), (37_248, "37.2 kB"), (16_884_128, "16.88 MB"), (3_221_225_472, "3.22 GB")],
)
def test_sizes_are_written_in_decimal_units(count: int, written: str) -> None:
    assert text.size(count) == written


def test_shares_have_three_decimals_and_ratios_two() -> None:
    assert text.percent(Fraction(10_838_016, 568_740_352)) == "1.906 %"
    assert text.times(Fraction(521, 4608)) == "8.84×"


def test_a_title_says_what_is_not_the_papers_network() -> None:
    spec = Spec(width=0.5, resolution=64, classes=10, shallow=True, unit_strides=(0, 2), padding="same")

    assert text.title(Spec()) == "MobileNet V1, α 1, 224x224x3, 1,000 classes"
    assert text.title(spec.twin()) == (
        "MobileNet V1, α 0.5, 64x64x3, 10 classes, standard convolutions, shallow, stride 1 at 0,2, padding same"
    )


def test_the_command_of_a_network_describes_that_network_again() -> None:
    from click.testing import CliRunner

    from depthwise.cli.cost import command

    spec = Spec(width=0.3, resolution=100, classes=7, channels=1, padding="same", activation="relu", shallow=True)
    words = text.command(spec.twin(), "int8").split()

    assert words[:2] == ["depthwise", "cost"]
    printed = CliRunner().invoke(command, [*words[2:], "--json"]).output
    assert '"convolution": "standard"' in printed
    for name, value in spec.to_dict().items():
        if name in ("width", "resolution", "classes", "channels"):
            assert f'"{name}": {value},' in printed
    assert '"precision": "int8"' in printed
    assert '"shallow": true' in printed
