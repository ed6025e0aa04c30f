"""Comparing float and int8, the report, and the gate."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest

from conftest import make_model
from depthwise.errors import Unmet
from depthwise.network import reference, reference_int8
from depthwise.network.model import Model
from depthwise.quantize import tables
from depthwise.quantize.evaluate import Accuracy, Comparison, compare, decibels, layer_noise
from depthwise.quantize.options import Options
from depthwise.quantize.page import page
from depthwise.quantize.quantize import Quantization, quantize
from depthwise.quantize.report import Report, check_drop, document, report

SmallModel = Callable[..., Model]


def images(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(128, 50, (count, 32, 32, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def model() -> Model:
    return make_model(seed=7, classes=6)


@pytest.fixture(scope="module")
def done(model: Model) -> Quantization:
    return quantize(model, images(16), Options(ranges="minmax", correct_bias=False))


COMPARISON = Comparison(
    images=200,
    agreement=0.95,
    signal_db=25.0,
    accuracy=Accuracy(float_top1=0.9, float_top5=0.99, int8_top1=0.88, int8_top5=0.99),
)


@pytest.fixture(scope="module")
def record(model: Model, done: Quantization) -> Report:
    noise = layer_noise(model, done.model, images(8))
    return report(model, done, Options(), 16, COMPARISON, noise)


def test_comparison_counts_what_both_oracles_say(model: Model, done: Quantization) -> None:
    pixels, truths = images(20, seed=1), np.random.default_rng(2).integers(0, 6, 20)

    found = compare(model, done.model, [(pixels[:13], truths[:13]), (pixels[13:], truths[13:])], 20)

    floats, ints = reference.run(model, pixels).logits, reference_int8.run(done.model, pixels).logits
    right = found.accuracy
    assert right is not None
    for logits, top1, top5 in ((floats, right.float_top1, right.float_top5), (ints, right.int8_top1, right.int8_top5)):
        assert top1 == (logits.argmax(1) == truths).mean()
        # Wrong in the first five of six is to be the last.
        assert top5 == (logits.argmin(1) != truths).mean()
    assert found.agreement == (floats.argmax(1) == ints.argmax(1)).mean()
    assert found.images == 20
    assert right.drop == pytest.approx(100 * (right.float_top1 - right.int8_top1))
    unlabelled = compare(model, done.model, [(pixels[:13], None), (pixels[13:], None)], 20)
    assert unlabelled == dataclasses.replace(found, accuracy=None)


def test_a_layer_with_ruined_weights_costs_most(model: Model, done: Quantization) -> None:
    name = "blocks.2.1.conv_pw"
    numbers = done.model.layers[name]
    ruined = dataclasses.replace(numbers, weight=np.roll(numbers.weight, 1, axis=1))
    broken = done.model.replace(layers={**done.model.layers, name: ruined})

    costs = layer_noise(model, broken, images(8))

    assert max(costs, key=lambda layer: costs[layer]) == name
    before = layer_noise(model, done.model, images(8))
    assert all(costs[layer] == before[layer] for layer in costs if layer != name)


def test_the_gate_holds_up_to_its_limit_and_names_layers_beyond_it(record: Report) -> None:
    check_drop(record, 2.0001)
    worst = record.costliest[0].name

    with pytest.raises(Unmet, match=rf"costs 2.00 points of top-1 \(90.00% to 88.00%\), more than the 1.5 .*: {worst}"):
        check_drop(record, 1.5)


def test_page_table_and_document_show_the_same_record(record: Report) -> None:
    text = json.dumps(document(record), allow_nan=False)
    html = page(record, name="<b>net</b>")
    rows = tables.layer_table(record).rows

    assert json.loads(text)["accuracy"]["drop_points"] == pytest.approx(2)
    assert "<b>net" not in html
    assert len(rows) == len(record.lines)
    for line, row in zip(record.lines, rows, strict=True):
        assert row[0] == line.name
        assert row[-1] == f"{line.noise_percent:.1f}%"
        assert line.name in html
    assert tables.accuracy_table(record).rows[1][:3] == ("int8", "88.00%", "99.00%")
    assert sum(line.noise_percent for line in record.lines) == pytest.approx(100)


def test_decibels_are_bounded_where_nothing_or_everything_is_noise() -> None:
    assert decibels(100.0, 1.0) == pytest.approx(20)
    assert decibels(1.0, 0.0) == 200
    assert decibels(0.0, 1.0) == -200
