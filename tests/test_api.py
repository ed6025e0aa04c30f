"""What `import depthwise` offers: the page's example runs, and importing it costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import depthwise
from conftest import ImageFolder, SmallModel
from depthwise import api
from depthwise.errors import Refused
from depthwise.network.quantized import load_model
from depthwise.network.spec import Spec
from depthwise.shipped import model_folder

ROOT = Path(__file__).parents[1]
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.M | re.S)


def test_the_example_of_the_page_goes_from_a_folder_of_images_to_a_label(
    image_folder: ImageFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed; run: pip install 'depthwise[cloud]'")
    image_folder("photos", classes=("hat", "shoes"), images=8, splits=("train", "validation", "test"))
    monkeypatch.chdir(tmp_path)
    # Drawing takes longer than this training.
    for name in ("save_fed", "save_curves"):
        monkeypatch.setattr(f"depthwise.cloud.pictures.{name}", lambda *_: None)

    exec(compile(EXAMPLES[0], "api.md", "exec"), {})

    said = capsys.readouterr().out.splitlines()
    assert said[-1] in ("hat", "shoes")
    assert int(said[0]) == depthwise.cost(Spec(width=0.25, resolution=32)).nominal.macs
    assert load_model(tmp_path / "mymodel8").precision == "int8"


def test_the_reporter_of_the_page_is_told_of_progress(
    small_model: SmallModel, image_folder: ImageFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    exec(compile(EXAMPLES[1], "api.md", "exec"), names)
    small_model(labels=("cat", "dog"), shallow=True).save(tmp_path / "float")

    depthwise.quantize(tmp_path / "float", image_folder(images=10), tmp_path / "int8", reporter=names["Percent"]())

    assert "layers: 100%" in capsys.readouterr().out


def test_every_function_has_the_name_of_the_api_whatever_was_imported_before() -> None:
    code = (
        "import depthwise.cost.report, depthwise.evaluate.report, depthwise.quantize.report, depthwise;"
        "assert depthwise.cost(depthwise.network.spec.Spec()).nominal.macs == 568740352;"
        "assert all(callable(getattr(depthwise, name)) for name in depthwise.__all__[1:])"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_loads_nothing_heavy_and_takes_under_15_milliseconds_of_ours() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import depthwise"]
    least = float("inf")
    for _ in range(3):
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        rows = [line.removeprefix("import time:").split("|") for line in said.splitlines()[1:]]
        own = {name.strip(): int(alone) for alone, _, name in rows}
        assert not {name.split(".")[0] for name in own} & {"torch", "numpy", "PIL", "rich", "click"}
        least = min(least, sum(time for name, time in own.items() if name.startswith("depthwise")))
    assert least < 15_000


def test_a_file_that_is_no_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no")
    with pytest.raises(Refused):
        depthwise.read(tmp_path / "x.onnx")
    with pytest.raises(Refused, match="there is no target 'hots'; is it host"):
        depthwise.compile(model_folder(), tmp_path / "x.so", target="hots")


def test_every_public_function_says_its_errors() -> None:
    for name in depthwise.__all__[1:]:
        assert "Raises: Refused" in (getattr(api, name).__doc__ or ""), name
