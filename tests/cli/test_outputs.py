"""Every command looks at the places of its outputs before it begins to work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from depthwise import shipped
from depthwise.cli.main import cli
from depthwise.errors import Refused

MODEL = str(shipped.model_folder())
# Of a photo, at {}; what else they name is not there, so a command that began with its work would say so.
COMMANDS = [
    ["cost", "nosuch", "--html", "{}"],
    ["evaluate", "nosuch", "nosuch", "--html", "{}"],
    ["quantize", MODEL, "--data", "nosuch", "--out", "{}"],
    ["quantize", MODEL, "--data", "nosuch", "--out", "int8", "--html", "{}"],
    ["convert", "nosuch", "{}", "--to", "model"],
    ["convert", "nosuch", "{}", "--to", "timm"],
    ["convert", "nosuch", "{}", "--to", "onnx"],
    ["convert", "nosuch", "{}", "--to", "tflite"],
    ["compile", MODEL, "--out", "{}", "--cc", "nosuch"],
    ["compile", MODEL, "--out", "{}", "--target", "source"],
    ["bench", "nosuch", "--png", "{}"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_photo_is_not_written_over_and_nothing_is_begun(command: list[str], tmp_path: Path) -> None:
    photo = Path(shutil.copy(shipped.photo(), tmp_path / "photo"))
    with pytest.raises(Refused, match=r"photo: exists and is not an? ") as refusal:
        cli.main([part.format(photo) for part in command], standalone_mode=False)
    assert str(refusal.value).endswith("; choose another name or remove it")
    assert photo.read_bytes() == shipped.photo().read_bytes()
    assert [photo] == list(tmp_path.iterdir())


def test_a_model_is_replaced_by_force_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for dest in ("model", "model.onnx", "model.tflite"):
        command = ["convert", MODEL, dest]
        cli.main(command, standalone_mode=False)
        with pytest.raises(Refused, match=f"^{dest}: a model.* lies there; give --force to replace it, or choose"):
            cli.main(command, standalone_mode=False)
        cli.main([*command, "--force"], standalone_mode=False)
