"""A network beside its twin of standard convolutions."""

from __future__ import annotations

import pytest

from depthwise.bench import report
from depthwise.bench.twin import measure_twins
from depthwise.cost.formulas import macs, separable_ratio
from depthwise.errors import Refused
from depthwise.network.layers import layers
from depthwise.network.spec import Spec
from depthwise.precision import Precision


def silent(_: str) -> None:
    """No notice."""


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_what_the_formula_promises_stands_beside_what_was_measured(precision: Precision) -> None:
    spec = Spec(width=0.25, resolution=32, classes=7, shallow=True)

    found = measure_twins(spec, precision, 1, silent)

    # Each block by the paper's ratio 1/N + 1/9 (arXiv:1704.04861, section 3.1); stem and classifier are the same.
    alike = sum(macs(layer) for layer in layers(spec) if layer.kind in ("stem", "classifier", "pool"))
    twin = [layer for layer in layers(spec.twin()) if layer.kind == "standard"]
    blocks = sum(macs(layer) * separable_ratio(layer.output.channels, 3) for layer in twin)
    assert found.standard.multiply_adds == alike + sum(map(macs, twin))
    assert found.separable.multiply_adds == alike + blocks
    assert found.promised == found.standard.multiply_adds / found.separable.multiply_adds
    assert found.measured == found.standard.times.fastest / found.separable.times.fastest
    assert report.twin_table(found).rows[-1][1:3] == (f"{found.promised:.2f}", f"{found.measured:.2f}")


def test_a_network_of_standard_convolutions_has_no_twin() -> None:
    with pytest.raises(Refused, match="--twin compares a network of separable convolutions with standard ones"):
        measure_twins(Spec(width=0.25, resolution=32).twin(), "float32", 1, silent)
