"""The command as a user runs it: stdout, stderr and exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.command import depthwise


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return depthwise("cost", *arguments, **environment)


def document(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = Spec(width=0.25, resolution=64, classes=3)
    folder = tmp_path_factory.mktemp("models") / "three <b>classes"
    Model(
        spec=spec, weights=random_weights(spec), labels=("a", "b", "c"), preprocessing=default_preprocessing(64, 3)
    ).save(folder)
    return folder


def test_the_papers_network_as_json() -> None:
    found = document("--width", "1", "--resolution", "224", "--classes", "1000")

    assert found["schema"] == 1
    assert found["totals"]["macs"] == 568_740_352
    assert found["totals"]["parameters"] == 4_231_976
    assert found["totals"]["statistics"] == 21_888
    shares = {kind["kind"]: (kind["macs_percent"], kind["weights_percent"]) for kind in found["kinds"]}
    assert {kind: tuple(round(percent, 3) for percent in both) for kind, both in shares.items()} == {
        "stem": (1.906, 0.021),
        "depthwise": (3.057, 1.061),
        "pointwise": (94.857, 74.591),
        "pool": (0, 0),
        "classifier": (0.18, 24.328),
    }
    assert found["twin"]["convolution"] == "standard"
    assert round(found["twin"]["totals"]["macs"] / 1e6, 2) == 4867.29
    assert found["live"] is None
    assert "comparison" not in found
    assert "sweep" not in found


def test_compare_and_sweep_are_added_to_the_document() -> None:
    found = document("--compare", "--sweep")

    assert [len(found["comparison"]), len(found["sweep"])] == [15, 16]
    assert all(pair["ratio_counted"] == pair["ratio_formula"] for pair in found["comparison"][1:-1])
    assert found["comparison"][1]["ratio_formula"] == {"numerator": 73, "denominator": 576, "value": 73 / 576}
    assert found["sweep"][-1]["macs"] == found["totals"]["macs"]


def test_the_table_shows_the_figures_of_the_document() -> None:
    done, found = run("--compare", "--sweep", "--precision", "int8"), document("--precision", "int8", "--sweep")

    assert (done.returncode, done.stderr) == (0, "")
    cells = set(done.stdout.split())
    for layer in found["layers"]:
        assert {layer["name"], f"{layer['macs']:,}", f"{layer['parameters']:,}", f"{layer['working_bytes']:,}"} <= cells
    assert {f"{member['macs']:,}" for member in found["sweep"]} <= cells
    assert {"568,740,352", "4,231,976", "94.857", "4,867,293,184", "521/4608"} <= cells
    assert "…" not in done.stdout


def test_a_pipe_gets_no_colour_and_a_narrow_table_breaks_no_number() -> None:
    done = run(COLUMNS="80")

    assert "\x1b" not in done.stdout
    assert max(map(len, run(COLUMNS="80").stdout.splitlines()[2:30])) <= 80
    assert {"568,740,352", "blocks.4.1.conv_pw", "1,050,624"} <= set(done.stdout.split())


def test_every_option_of_the_network_reaches_it() -> None:
    typed = "--width 0.5 --resolution 64 --classes 7 --channels 1 --padding same --activation relu --shallow"

    found = document(*typed.split(), "--unit-strides", "0,2", "--convolution", "standard", "--rounding", "cut-off")

    assert found["network"] == {
        **Spec().to_dict(),
        **{"width": 0.5, "resolution": 64, "classes": 7, "channels": 1, "padding": "same", "activation": "relu"},
        **{"shallow": True, "unit_strides": [0, 2], "convolution": "standard", "rounding": "cut-off"},
    }
    assert found["twin"]["convolution"] == "separable"


def test_a_model_folder_gives_its_own_network(model_folder: Path) -> None:
    found = document(str(model_folder))

    assert (found["network"]["width"], found["network"]["resolution"], found["network"]["classes"]) == (0.25, 64, 3)


def test_a_model_folder_with_options_of_another_network_is_refused(model_folder: Path) -> None:
    done = run(str(model_folder), "--width", "1", "--unit-strides", "0")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --width, --unit-strides: ")
    assert "has its own network" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--width", "0"), "error: width is 0.0; it must be a number above 0 and at most 8.0"),
        (("--resolution", "31"), "error: resolution is 31; it must be a whole number from 32 to 4096"),
        (("--unit-strides", "0,x"), "error: --unit-strides is '0,x'"),
        (("nowhere",), "error: nowhere"),
        (("--precision", "int4"), "'int4' is not one of 'float32', 'bf16', 'int8'"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_wrong_argument_is_refused_in_words(arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_is_written_whole_and_told_of_on_stderr(tmp_path: Path, model_folder: Path) -> None:
    target = tmp_path / "cost.html"

    done = run(str(model_folder), "--html", str(target), "--json")

    assert done.returncode == 0
    assert done.stderr == f"wrote {target}\n"
    assert json.loads(done.stdout)["schema"] == 1
    assert [target] == list(tmp_path.iterdir())
    text = target.read_text(encoding="utf-8")
    assert "<title>Cost of three &lt;b&gt;classes</title>" in text
    assert text.rstrip().endswith("</html>")


def test_a_page_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run("--html", str(tmp_path / "file" / "cost.html"))

    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr


def test_an_int8_model_folder_is_counted_in_bytes(tmp_path: Path) -> None:
    spec = Spec(width=0.25, resolution=64, classes=3)
    random_quantized(spec).save(tmp_path / "int8")

    found = document(str(tmp_path / "int8"))

    assert found["precision"] == "int8"
    # One byte a weight; a bias and a multiplier of 4 bytes for each channel of a layer with weights.
    for layer in found["layers"]:
        constants = 0 if layer["kind"] == "pool" else 8 * layer["output"][2]
        assert layer["weight_bytes"] == layer["weights"] + constants
    described = document("--width", "0.25", "--resolution", "64", "--classes", "3", "--precision", "int8")
    assert found["totals"] == described["totals"]
    assert found["live"]["macs"] == sum(layer["live"]["macs"] for layer in found["layers"]) > 0
    assert described["live"] is None


def test_live_figures_are_those_of_the_folders_own_numbers_alone(tmp_path: Path, model_folder: Path) -> None:
    random_quantized(Spec(width=0.25, resolution=64, classes=3)).save(tmp_path / "int8")
    as_float = document(str(tmp_path / "int8"), "--precision", "float32")

    assert (as_float["precision"], as_float["live"]) == ("float32", None)
    assert document(str(model_folder), "--precision", "int8")["live"] is None
    assert document(str(model_folder))["live"] is not None
