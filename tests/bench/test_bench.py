"""The whole way: a small model in every runtime that is installed."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from conftest import make_model
from depthwise.bench import choice, peers
from depthwise.bench.choice import choose
from depthwise.bench.grid import measure_grid
from depthwise.bench.measure import Options, _fastest_forms, measure
from depthwise.bench.peak import PeakLoop
from depthwise.bench.peers import NAMES, OWN, is_installed
from depthwise.bench.picture import grid_picture
from depthwise.bench.process import Worker
from depthwise.bench.profile import kind_of, timed
from depthwise.bench.subject import subject
from depthwise.bench.workplace import Workplace
from depthwise.errors import Refused, Unmet
from depthwise.network import reference
from depthwise.network.model import Model
from depthwise.network.spec import Spec
from tools.command import depthwise


def silent(_: str) -> None:
    """No notice."""


def bench(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `depthwise bench`."""
    done = depthwise("bench", *arguments)
    return done.returncode, done.stdout, done.stderr


def workplace(folder: Path) -> Workplace:
    return Workplace(subject("m", make_model(labels=list("abcd"), shallow=True)), folder, silent)


def test_the_command_measures_every_runtime_that_is_installed(tmp_path: Path) -> None:
    make_model(labels=list("abcd"), shallow=True).save(tmp_path / "model")
    picture = ("--png", tmp_path / "picture.png") if find_spec("matplotlib") else ()
    code, out, err = bench(tmp_path / "model", "--rounds", 1, "--starts", 1, "--json", *picture)

    assert code == 0, err
    assert not picture or picture[1].read_bytes().startswith(b"\x89PNG")
    document = json.loads(out)
    installed = {name for name in NAMES if is_installed(name)}
    assert document["schema"] == 3
    assert {r["name"] for r in document["results"]} == {OWN, *installed}
    assert {left["name"] for left in document["left_out"]} == {*NAMES} - installed
    assert all(r["times"]["fastest"] <= r["times"]["median"] for r in document["results"])
    assert all(0 < r["first"]["fastest"] <= r["first"]["median"] for r in document["results"])
    assert all(r["first"]["calls"] == 1 for r in document["results"])
    assert all(r["network"]["fastest"] <= r["times"]["fastest"] for r in document["results"])
    assert all(r["by_round"] == [r["times"]["fastest"]] for r in document["results"])
    assert all(r["agreement"]["same_label"] == 1 for r in document["results"] if r["name"] != OWN)


def test_an_artifact_alone_is_measured_with_its_program_and_its_kinds() -> None:
    found = measure(subject("m", make_model(shallow=True)), Options(against=(), rounds=2, starts=1), silent)
    own = found.own(1)

    assert own is not None
    assert own.first.fastest > own.times.fastest
    assert sum(kind.share for kind in found.kinds) == pytest.approx(1)
    assert {"stem", "depthwise", "pointwise", "classifier"} <= {kind.kind for kind in found.kinds}
    if sys.platform.startswith("linux"):
        assert found.program is not None
        assert found.program.memory_bytes is not None
        assert found.program.first.fastest < own.first.fastest


def test_the_grid_is_of_random_weights_and_says_so_and_computes_all_channels(tmp_path: Path) -> None:
    options = Options(against=(), rounds=1, starts=1)
    grid = measure_grid(Spec(classes=4, shallow=True), "float32", options, silent, widths=(0.25,), resolutions=(32, 45))

    assert [found.name for found in grid.measurements] == ["0.25-32", "0.25-45"]
    assert all(found.notes == ("random weights",) for found in grid.measurements)
    assert all(found.results[0].form == "all channels" for found in grid.measurements)
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    grid_picture(grid, tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_a_peer_that_is_not_installed_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(peers.NAMES, "ncnn", ("no_module_of_this_name", "ncnn"))

    with pytest.raises(Refused, match=r"^is not installed; run: pip install ncnn$"):
        choose("ncnn", workplace(tmp_path))
    found = measure(
        subject("m", make_model(shallow=True)), Options(against=("ncnn",), rounds=1, starts=1, more=False), silent
    )
    assert [(left.name, left.threads) for left in found.left_out] == [("ncnn", None)]


@pytest.mark.skipif(not is_installed("onnxruntime"), reason="onnxruntime is not installed")
def test_a_peer_with_the_weights_of_another_network_ends_the_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, place = peers.peer("onnxruntime"), workplace(tmp_path)
    choose(OWN, place)

    class Other:
        @staticmethod
        def write(model: object, form: peers.Form, folder: Path) -> Path:
            return real.write(make_model(seed=1, labels=list("abcd")), form, folder)

    monkeypatch.setattr(choice, "peer", lambda name: Other if name == "onnxruntime" else peers.peer(name))

    with pytest.raises(Unmet, match=r"onnxruntime: the answers of onnx differ from ours by up to .* are not compared"):
        choose("onnxruntime", place)


def test_the_answers_that_others_are_compared_with_are_the_oracles(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    choose(OWN, place)
    model = place.subject.model
    assert isinstance(model, Model)

    expected = reference.run(model, place.pixels).probabilities
    assert np.abs(place.ours()[1] - expected).max() < 1e-5


def test_of_several_forms_the_one_with_the_least_time_of_all_turns_counts() -> None:
    assert _fastest_forms(["a", "b", "b", "a"], [[[5], [9]], [[4, 4]], [[7, 3]], [[6], [6]]]) == [0, 2]


def test_a_worker_that_cannot_load_says_why(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    (tmp_path / "a.so").write_bytes(b"\x7fELF")

    with pytest.raises(Refused, match=r"a\.so: is not an artifact"):
        place.worker(OWN, tmp_path / "a.so", 1)


def test_a_worker_that_is_gone_is_named(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    (own,) = choose(OWN, place)
    with place.worker(OWN, own.path, 1) as worker:
        assert isinstance(worker, Worker)
        worker._process.kill()
        worker._process.wait()

        with pytest.raises(Refused, match="depthwise: its process ended with -9; leave it out with --against"):
            worker.order("turn")


@pytest.mark.parametrize(
    ("precision", "flag", "instruction", "better"),
    [
        ("float32", "avx2", "vfmadd231ps", ""),
        ("int8", "avx512_vnni", "vpdpbusd", "amx_int8"),
        ("bf16", "avx512_bf16", "vdpbf16ps", "amx_bf16"),
        ("int8", "amx_int8", "tdpbusd", ""),
        ("bf16", "amx_bf16", "tdpbf16ps", ""),
    ],
)
def test_the_peak_is_measured_with_the_instruction_that_the_processor_has(
    precision: str, flag: str, instruction: str, better: str, tmp_path: Path
) -> None:
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    if flag not in flags or better in flags:
        pytest.skip(f"this processor has no {flag}, or better than that")
    loop = PeakLoop(precision, tmp_path)
    for _ in range(5):
        loop.turn(1)
    peak = loop.peak(1)

    assert peak is not None
    assert peak.instruction == instruction
    assert loop.peak(2) is None


def test_every_kernel_of_a_step_is_timed_under_its_kind() -> None:
    text = (
        "static void dwl_conv_stem(const uint8_t *pixels, uint8_t *arena)\n{\n    dwk_product_f32(a,\n        b);\n}\n"
        "static void dwl_blocks_0_0(uint8_t *arena)\n{\n    dwk_float *x = y;\n    dwk_depthwise3x3s1_f32(a);\n"
        "        dwk_product_f32(b, 1);\n    dwk_border_f32(c);\n}\n"
    )
    found, count = timed(text, Spec())

    assert count == 4
    assert "DWB_TIMED(0, dwk_product_f32(a,\n        b));" in found
    assert "dwk_float *x = y;" in found
    assert [kind_of("blocks_0_0", call, Spec()) for call in ("dwk_depthwise3x3s1", "dwk_product", "dwk_border")] == [
        "depthwise",
        "pointwise",
        "other",
    ]
    assert kind_of("blocks_0_0", "dwk_product", Spec(convolution="standard")) == "standard"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either a model folder or --grid"),
        (("m", "--grid"), "give either a model folder or --grid, not both"),
        (("m", "--against", "onnx"), "--against: there is no peer 'onnx'; is it onnxruntime or openvino?"),
        (("m", "--threads", "two"), "--threads is 'two'; give numbers from 1 to 64 with commas between, such as 1,2"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(arguments: tuple[str, ...], said: str) -> None:
    code, out, err = bench(*arguments)

    assert (2, "", f"error: {said}\n") == (code, out, err)


def test_an_int8_model_is_not_measured_in_float() -> None:
    int8 = subject("m", make_model(), "int8").model

    with pytest.raises(Refused, match="m: is an int8 model, which has no float32; leave --precision away"):
        subject("m", int8, "float32")
