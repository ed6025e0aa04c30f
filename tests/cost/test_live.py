"""Live figures beside nominal ones: the same formulas over the channels that are kept."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from depthwise.cost import tables
from depthwise.cost.document import document
from depthwise.cost.page import page
from depthwise.cost.report import Report, report
from depthwise.network.layers import layers
from depthwise.network.live import live
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec

SPEC = Spec(width=0.25, resolution=64, classes=4)


def analysed(*, dead: int) -> Report:
    """A network whose last pointwise layer has so many channels that are always 0; no image reaches them."""
    model = random_quantized(dataclasses.replace(SPEC, resolution=64), 1)
    for layer in layers(model.spec):
        numbers = model.layers[layer.name]
        bias = numbers.bias.copy()
        if layer.name == "blocks.4.1.conv_pw":
            bias[:dead] = -(10**8)
        model = model.replace(layers={**model.layers, layer.name: dataclasses.replace(numbers, bias=bias)})
    return report(model.spec, precision="int8", live=live(model).table)


def test_dead_channels_are_taken_off_the_layers_that_make_and_read_them() -> None:
    before, after = analysed(dead=0), analysed(dead=56)
    pairs = zip(before.live_rows, after.live_rows, strict=True)
    lost = {old.layer.name: old.macs - new.macs for old, new in pairs if old.macs != new.macs}
    inputs = before.live_rows[-3].layer.input.channels

    # 2x2 places, a product for each input channel; and one for each of the four labels.
    assert lost == {"blocks.4.1.conv_pw": 56 * inputs * 2 * 2, "classifier": 56 * 4}
    assert after.nominal == before.nominal == report(SPEC, precision="int8").nominal
    assert after.live is not None
    assert after.live.macs == sum(row.macs for row in after.live_rows)
    assert after.live.weight_bytes == sum(row.weight_bytes for row in after.live_rows)


def test_the_document_has_nominal_and_live_figures_of_every_layer() -> None:
    found = analysed(dead=56)
    said = document(found)

    assert said["live"]["macs"] == sum(layer["live"]["macs"] for layer in said["layers"]) < said["totals"]["macs"]
    last = said["layers"][-1]
    assert (last["input"], last["live"]["input"]) == ([1, 1, 256], [1, 1, 200])
    assert (last["macs"], last["live"]["macs"]) == (1024, 800)
    assert document(report(SPEC))["layers"][-1]["live"] is None


def test_table_and_page_show_the_figures_of_the_record() -> None:
    found = analysed(dead=56)
    assert found.live is not None
    for wide in (False, True):
        table = tables.layer_table(found, wide=wide)
        headings = [column.heading for column in table.columns]
        at = headings.index("live")
        assert headings[at - 1] == "multiply-adds"
        assert [row[at] for row in table.rows] == [
            f"{n:,}" for n in (*(r.macs for r in found.live_rows), found.live.macs)
        ]
        assert ("channels" in headings) == wide
    assert tables.layer_table(found).rows[-3][headings.index("channels")] == "200 of 256"
    numbers = set(re.findall(r"[\d,]+", page(found)))
    assert {f"{found.live.macs:,}", *(f"{row.macs:,}" for row in found.live_rows)} <= numbers


def test_nothing_is_said_of_live_figures_where_no_model_was_analysed() -> None:
    found = report(SPEC)

    assert found.live is None
    assert "live" not in [column.heading for column in tables.layer_table(found).columns]
    assert "live" not in page(found).lower().replace("alive", "")
    assert not any("ive:" in line for line in tables.summary(found))


def test_a_network_that_loses_nothing_is_said_to() -> None:
    found = report(SPEC, live=layers(SPEC))

    assert found.live == found.nominal
    assert any("can change" in line for line in tables.summary(found))
    assert np.all([row.macs == kept.macs for row, kept in zip(found.rows, found.live_rows, strict=True)])
