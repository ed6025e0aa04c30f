"""The arithmetic of figures, on numbers made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthwise.bench import report
from depthwise.bench.agreement import agreement, agrees
from depthwise.bench.grid import Grid
from depthwise.bench.machine import machine
from depthwise.bench.peak import Peak
from depthwise.bench.results import Left, Measurement, Result, Times, geometric_mean, lead, lead_by_rounds, times
from depthwise.network.spec import Spec
from depthwise.precision import Precision


def result(
    name: str,
    fastest: float,
    median: float,
    network: float,
    threads: int = 1,
    *,
    by_round: tuple[float, ...] = (1.0,),
    tiles: bool | None = None,
) -> Result:
    return Result(
        name=name,
        version="1",
        form="form",
        threads=threads,
        times=Times(fastest=fastest, median=median, calls=3),
        by_round=by_round,
        network=Times(fastest=network, median=network, calls=3),
        agreement=None,
        file_bytes=1,
        runtime_bytes=2,
        memory_bytes=None,
        asked_for_tiles=tiles,
        first=Times(fastest=4.0, median=5.0, calls=2),
    )


def measurement(*results: Result, peaks: tuple[Peak, ...] = (), left_out: tuple[Left, ...] = ()) -> Measurement:
    return Measurement(
        name="m",
        spec=Spec(),
        precision="int8",
        notes=(),
        multiply_adds=4_000_000,
        live_multiply_adds=4_000_000,
        threads=(1, 2),
        results=results,
        left_out=left_out,
        peaks=peaks,
    )


OURS = result("depthwise", 2.0, 2.5, 2.0)
SLOW = result("slow", 6.0, 10.0, 5.0)
FAST = result("fast", 3.0, 5.0, 1.0)


def test_a_ratio_is_a_peers_time_over_ours_each_of_its_kind() -> None:
    ratios = measurement(SLOW, OURS, FAST).ratios(SLOW)

    assert ratios is not None
    assert (ratios.fastest, ratios.median, ratios.network) == (3.0, 4.0, 2.5)


def test_the_lead_is_over_the_fastest_peer() -> None:
    assert lead(measurement(SLOW, OURS, FAST), 1) == 1.5


def test_by_rounds_a_machine_that_was_twice_as_slow_for_some_of_them_changes_nothing() -> None:
    ours = result("depthwise", 1.0, 2.0, 1.0, by_round=(2.0, 2.0, 1.0))
    peer = result("peer", 3.0, 6.0, 3.0, by_round=(6.0, 6.0, 3.0))
    lucky = result("lucky", 1.0, 6.0, 1.0, by_round=(8.0, 10.0, 1.0))
    found = measurement(ours, peer, lucky)

    assert [ratios.rounds for one in (peer, lucky) if (ratios := found.ratios(one))] == [3.0, 4.0]
    assert lead(found, 1) == 1.0
    assert lead_by_rounds(found, 1) == 3.0
    assert Grid(measurements=(found,)).mean(1, lead_by_rounds) == pytest.approx(3.0)
    assert "1 thread: 1.00 times as fast as the fastest peer, lucky; by rounds 3.00 times" in report.remarks(found)


def test_our_own_network_without_strassen_is_no_peer() -> None:
    assert lead(measurement(result("no-strassen", 2.5, 3.0, 2.5), OURS, FAST), 1) == 1.5


def test_ours_stands_first_and_the_fastest_peer_next() -> None:
    assert [r.name for r in measurement(SLOW, FAST, OURS).of(1)] == ["depthwise", "fast", "slow"]


def test_there_is_no_ratio_where_ours_was_not_measured_on_as_many_threads() -> None:
    found = measurement(OURS, result("fast", 1.0, 1.0, 1.0, threads=2))

    assert found.ratios(found.of(2)[0]) is None
    assert lead(found, 2) is None


def test_share_of_the_peak_is_of_that_many_threads() -> None:
    # 4 M multiply-adds in 2 ms are 2 G a second.
    peaks = (Peak(instruction="i", threads=1, per_second=4e9), Peak(instruction="i", threads=2, per_second=8e9))
    found = measurement(OURS, result("slow", 4.0, 4.0, 4.0, threads=2), peaks=peaks)

    assert found.share(found.of(1)[0]) == pytest.approx(0.5)
    assert found.share(found.of(2)[0]) == pytest.approx(1 / 8)


def test_without_an_instruction_there_is_no_share_and_a_line_says_so() -> None:
    found = measurement(OURS)

    assert found.share(OURS) is None
    assert "1 thread: this processor has no instruction for int8, so no peak" in report.remarks(found)


def test_a_line_says_at_which_level_ours_ran() -> None:
    assert report.remarks(replace(measurement(OURS), level="amx"))[0] == "ours ran at level amx"


def test_a_line_says_who_asked_for_tiles_where_anybody_did() -> None:
    ours, peer = (result(name, 1.0, 1.0, 1.0, tiles=tiles) for name, tiles in (("depthwise", True), ("peer", False)))

    assert "tiles (AMX) were asked for by depthwise, not by peer" in report.remarks(measurement(ours, peer))
    assert not [line for line in report.remarks(measurement(peer, OURS)) if "tiles" in line]


def test_the_grid_says_each_line_once() -> None:
    one = replace(measurement(OURS, FAST, left_out=(Left(name="ncnn", reason="is not installed"),)), level="amx")

    assert report.grid_remarks(Grid(measurements=(one, one))) == (
        "ours ran at level amx",
        "left out: ncnn: is not installed",
    )


def test_times_are_minimum_and_median_in_milliseconds() -> None:
    assert times([3_000_000, 1_000_000, 8_000_000]) == Times(fastest=1.0, median=3.0, calls=3)


def test_the_mean_of_ratios_is_geometric() -> None:
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)
    grid = Grid(measurements=(measurement(OURS, FAST), measurement(OURS, SLOW)))

    assert grid.mean(1) == pytest.approx((1.5 * 3.0) ** 0.5)
    assert grid.mean(2) is None


def test_who_is_left_out_is_named_in_lines_and_document() -> None:
    left = (Left(name="ncnn", reason="is not installed"), Left(name="depthwise", reason="one thread", threads=2))
    found = measurement(OURS, left_out=left)

    lines = report.remarks(found)
    assert "left out: ncnn: is not installed" in lines
    assert "left out on 2 threads: depthwise: one thread" in lines
    assert [x["name"] for x in report.document(found, machine())["left_out"]] == ["ncnn", "depthwise"]


def test_table_and_document_give_the_same_figures() -> None:
    found = measurement(OURS, SLOW, FAST, peaks=(Peak(instruction="i", threads=1, per_second=4e9),))
    row = report.tables(found)[0].rows[1]
    entry = next(r for r in report.document(found, machine())["results"] if r["name"] == "fast")

    assert row == ("fast 1", "form", "3.000", "5.000", "2.000", "1.50", "2.00", "1.00", "0.50", "1.3", "33.3%")
    assert entry["ratios"] == {"fastest": 1.5, "median": 2.0, "rounds": 1.0, "network": 0.5}
    assert entry["share_of_peak"] == pytest.approx(1 / 3)


def test_the_grids_last_row_is_its_mean() -> None:
    table = report.grid_table(Grid(measurements=(measurement(OURS, FAST), measurement(OURS, SLOW))), 1)

    assert table.last_is_sum
    assert table.rows[-1] == ("geometric mean", "", "", "", "", "2.12", "1.00", "")


@pytest.mark.parametrize("precision", ["float32", "bf16", "int8"])
def test_equal_answers_agree_and_those_of_other_labels_do_not(precision: Precision) -> None:
    answers = np.random.default_rng(0).dirichlet(np.full(10, 0.3), 4)

    assert agrees(agreement(answers, answers), precision)
    assert not agrees(agreement(np.roll(answers, 1, axis=1), answers), precision)


def test_float_answers_may_be_off_by_rounding_only() -> None:
    answers = np.full((2, 4), 0.25)

    assert agrees(agreement(answers + 9e-5, answers), "float32")
    assert not agrees(agreement(answers + 2e-4, answers), "float32")


def test_answers_that_never_vary_agree_in_int8_only_when_they_are_equal() -> None:
    flat = np.full((2, 4), 0.25)

    assert agrees(agreement(flat, flat), "int8")
    assert not agrees(agreement(np.eye(4)[:2], flat), "int8")
