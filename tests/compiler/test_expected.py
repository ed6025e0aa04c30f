"""How long steps are expected to take."""

from __future__ import annotations

import pytest

from depthwise.compiler.account import expected
from depthwise.compiler.account.expected import expected_cycles, expected_microseconds, rate_key, rates_of, rates_source
from depthwise.compiler.choices import Choices
from depthwise.compiler.plan.plan import Plan, plan
from depthwise.kernels.machine import Machine
from depthwise.kernels.rate import Rate
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from tools.emitted import AVX512, NEON


def planned(machine: Machine, precision: Precision = "float32") -> Plan:
    spec = Spec(width=0.25, resolution=64, classes=10)
    return plan(spec, default_preprocessing(64, 3), machine, Choices(precision=precision))


def test_a_step_takes_the_cycles_of_its_products_and_of_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    found = planned(AVX512)
    step = next(step for step in found.steps if step.name == "blocks.0.0")
    rates = {
        ("dwk_depthwise3x3s1_f32", "16 lanes"): Rate(products=2, value=0.5),
        ("dwk_product_f32", "16 lanes"): Rate(products=16),
    }
    monkeypatch.setattr(expected, "rates_of", lambda machine: rates)

    # 32 x 32 pixels of 8 channels, then of 16.
    depthwise = 32 * 32 * 8 * 9 / 2 + 32 * 32 * 8 * 0.5
    assert expected_cycles(step, AVX512) == depthwise + 32 * 32 * 8 * 16 / 16


def test_a_kernel_that_was_not_measured_leaves_its_step_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {("dwk_product_f32", "16 lanes"): Rate(products=16)}
    monkeypatch.setattr(expected, "rates_of", lambda machine: rates)

    found = expected_microseconds(planned(AVX512))

    assert found[0] is not None
    assert found[1:] == (None,) * (len(found) - 1)


def test_twice_the_clock_is_half_the_time() -> None:
    found = planned(AVX512)
    slow, fast = expected_microseconds(found, 1.5), expected_microseconds(found, 3.0)

    assert None not in slow
    assert slow == tuple(2 * time for time in fast if time is not None)


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
@pytest.mark.parametrize("precision", ["float32", "bf16", "int8"])
def test_every_kernel_that_an_x86_can_be_given_has_a_rate(precision: Precision, level: object) -> None:
    machine = level.machine  # type: ignore[attr-defined]
    found = planned(machine, precision)
    used = {rate_key(kernel, machine.lanes) for step in found.steps for kernel in step.kernels}

    assert used <= set(rates_of(machine))


def test_levels_for_intel_have_times_of_an_intel_and_say_so() -> None:
    machines = {level.name: level.machine for level in LEVELS}

    for of_any, of_intel, key in (
        ("avx512", "avx512_intel", ("dwk_product_f32", "16 lanes")),
        ("vbmi", "vbmi_intel", ("dwk_product_i8", "avx512vnni")),
    ):
        assert rates_of(machines[of_intel])[key].products > rates_of(machines[of_any])[key].products
        assert "Emerald Rapids" in rates_source(machines[of_intel])
        assert rates_source(machines[of_any]).startswith("measured on Zen 4")


def test_a_family_that_nobody_measured_has_no_times() -> None:
    assert set(expected_microseconds(planned(NEON))) == {None}
