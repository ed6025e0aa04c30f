from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.edge import heif
from depthwise.edge.files import endings
from depthwise.edge.pixels import decode, prepare
from depthwise.errors import Refused
from tools.command import depthwise
from tools.plain_artifact import LABELS, plain_artifact

RED, GREEN, BLUE = (LABELS[0], LABELS[1], "blue\\n🐳")


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_artifact(tmp_path_factory.mktemp("run"))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images, one in a folder of its own, one file that is none, and what is to be passed over."""
    folder = tmp_path / "images"
    (folder / "more").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    Image.new("RGB", (40, 50), (255, 51, 0)).save(folder / "b.png")
    Image.new("RGB", (9, 2), (0, 0, 200)).save(folder / "more" / "a.jpg", quality=100)
    Image.new("RGB", (9, 2)).save(folder / ".hidden" / "a.png")
    Image.new("RGB", (9, 2)).save(folder / "._b.png", "PNG")
    (folder / "notes.txt").write_text("not an image")
    return folder


def run(*arguments: object, **environment: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `depthwise run`."""
    done = depthwise("run", *arguments, **environment)
    return done.returncode, done.stdout, done.stderr


def test_an_image_gets_its_labels_the_likeliest_first(artifact: Path, images: Path) -> None:
    path = images / "b.png"

    expected = f"{path}\n   83.33%  {RED}\n   16.67%  {GREEN}\n    0.00%  {BLUE}\n"
    assert run(artifact, path) == (0, expected, "")


def test_a_label_is_given_without_loading_numpy(artifact: Path, images: Path) -> None:
    program = (
        "import sys\nfrom depthwise.cli.main import main\n"
        f"sys.argv = ['depthwise', 'run', {str(artifact)!r}, {str(images / 'b.png')!r}]\n"
        "try:\n    main()\nfinally:\n    sys.exit('numpy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert RED in done.stdout


def test_top_limits_the_labels(artifact: Path, images: Path) -> None:
    assert run(artifact, images / "b.png", "--top", 1) == (0, f"{images / 'b.png'}\n   83.33%  {RED}\n", "")


def test_folders_are_searched_in_order_and_hidden_and_other_files_are_passed_over(artifact: Path, images: Path) -> None:
    code, out, err = run(artifact, images, "--top", 1)

    assert [line for line in out.splitlines() if line[0] != " "] == [
        str(images / "b.png"),
        str(images / "more" / "a.jpg"),
    ]
    assert (code, err) == (0, "1 other files are passed over (1 with .txt)\n")


def test_an_image_comes_from_standard_input_by_a_pipe_or_from_a_file(artifact: Path, images: Path) -> None:
    content = (images / "b.png").read_bytes()
    command = [sys.executable, "-m", "depthwise", "run", str(artifact), "-", "--top", "1"]

    piped = subprocess.run(command, input=content, capture_output=True, check=False)
    with (images / "b.png").open("rb") as file:
        read = subprocess.run(command, stdin=file, capture_output=True, check=False)
    empty = subprocess.run(command, input=b"", capture_output=True, check=False)

    assert piped.stdout.decode() == read.stdout.decode() == f"-\n   83.33%  {RED}\n"
    assert (piped.returncode, read.returncode, empty.returncode) == (0, 0, 2)
    assert empty.stderr.decode().startswith("not read: standard input is empty; send an image, as in: depthwise run")


def test_csv_has_a_line_an_answer_and_reads_back(artifact: Path, images: Path) -> None:
    odd = images / 'a "b", c.png'
    (images / "b.png").rename(odd)

    code, out, _ = run(artifact, odd, "--csv")

    assert code == 0
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["image", "rank", "label", "probability"]
    assert [row[:3] for row in rows[1:]] == [[str(odd), str(rank), label] for rank, label in enumerate(LABELS, 1)]
    assert float(rows[1][3]) == pytest.approx(0.8333, abs=1e-4)
    assert run(artifact, odd, "--csv", "--json")[0] == 2


def test_what_is_given_in_the_place_of_an_artifact_or_an_image_is_answered_with_the_way_on(
    artifact: Path, images: Path, tmp_path: Path
) -> None:
    for name in ("net.tflite", "net.onnx", "net.h5"):
        (tmp_path / name).write_bytes(b"x" * 100)
        for command in ("run", "evaluate"):
            err = depthwise(command, tmp_path / name, images).stderr
            assert f"{name}: is a network in another format, not an artifact; run: depthwise convert" in err
    assert "is a picture, and is not an artifact; give an artifact first" in run(images / "b.png", artifact)[2]
    for arguments in ((artifact, "https://example.org/a.jpg"), ("https://example.org/a.so", images)):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("error: https://example.org/a.")
        assert "is an address, and depthwise opens no connection; fetch it first, with `curl -O https://" in err


def test_a_photo_of_a_telephone_is_read_where_that_is_installed_and_named_where_not(
    artifact: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    photo, misnamed = images / "IMG_1.HEIC", images / "IMG_2.jpg"
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 20, 10))).save(photo, quality=95)
    misnamed.write_bytes(photo.read_bytes())

    code, out, err = run(artifact, images, "--top", 1)

    assert (code, out.count(RED), err) == (0, 3, "1 other files are passed over (1 with .txt)\n")
    monkeypatch.setattr(heif, "is_installed", lambda: False)
    with pytest.raises(Refused, match=r"IMG_2.jpg: is a HEIC photo, .* run: pip install 'depthwise\[heic\]', or save"):
        decode(misnamed)
    assert endings([photo]) == "1 with .heic; for HEIC photos run: pip install 'depthwise[heic]', or save as JPEG"


def test_json_is_one_document_with_the_figures_of_the_text(artifact: Path, images: Path) -> None:
    (images / "notes.txt").unlink()
    code, out, err = run(artifact, images, "--json")
    document = json.loads(out)

    assert (code, err, document["schema"], document["artifact"]) == (0, "", 1, str(artifact))
    assert [entry["image"] for entry in document["images"]] == [str(images / "b.png"), str(images / "more" / "a.jpg")]
    assert [answer["label"] for answer in document["images"][0]["answers"]] == list(LABELS)
    for entry in document["images"]:
        pixels = prepare(decode(entry["image"]), resize=37, crop=32)
        shares = pixels.sum((0, 1)) / pixels.sum()
        for answer in entry["answers"]:
            assert answer["probability"] == pytest.approx(shares[answer["index"]], abs=1e-6)
            assert answer["label"] == LABELS[answer["index"]]
    assert document["unreadable"] == []


def test_unreadable_images_are_named_and_counted_and_the_others_labelled(artifact: Path, images: Path) -> None:
    (images / "c.png").write_bytes((images / "b.png").read_bytes()[:60])
    code, out, err = run(artifact, images, images / "none.jpg", "--top", 1)

    assert (code, out.count("%")) == (0, 2)
    lines = err.splitlines()
    assert lines[0].startswith(f"not read: {images / 'c.png'}: ")
    assert lines[1].startswith(f"not read: {images / 'none.jpg'}: cannot be read (No such file or directory)")
    assert lines[2:] == ["1 other files are passed over (1 with .txt)", "2 of 4 could not be read"]


def test_unreadable_images_stand_in_the_document_too(artifact: Path, images: Path) -> None:
    code, out, _ = run(artifact, images / "b.png", images / "notes.txt", "--json")
    document = json.loads(out)

    assert (code, len(document["images"]), len(document["unreadable"])) == (0, 1, 1)
    assert document["unreadable"][0].startswith(f"{images / 'notes.txt'}: is damaged, or no image")


def test_it_fails_when_no_image_could_be_read(artifact: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = run(artifact, images / "notes.txt", tmp_path / "empty")

    assert (code, out) == (2, "")
    assert f"not read: {tmp_path / 'empty'}: holds no image" in err
    assert err.endswith("error: no image was labelled, 2 could not be read; give images that can be\n")


def test_a_model_folder_is_answered_with_the_command_that_compiles_it(images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    code, out, err = run(folder, images)
    said, _, command = err.strip().partition("; run: ")

    assert (code, out) == (2, "")
    assert said == f"error: {folder}: is a model folder, which must be compiled first"
    assert shlex.split(command) == ["depthwise", "compile", str(folder), *["--target", "host", "--out"], "my model.so"]


def test_a_terminal_without_the_letters_gets_escapes(artifact: Path, images: Path) -> None:
    code, out, _ = run(artifact, images / "b.png", PYTHONIOENCODING="ascii")
    assert (code, out.splitlines()[3]) == (0, "    0.00%  blue\\n\\U0001f433")

    code, out, _ = run(artifact, images / "b.png", "--json", PYTHONIOENCODING="ascii")
    assert (code, json.loads(out)["images"][0]["answers"][2]["label"]) == (0, LABELS[2])


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_a_file_name_that_is_not_utf_8_is_shown_with_escapes(artifact: Path, images: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(images) + b"/\xff\n.png"))
    (images / "b.png").rename(odd)

    code, out, _ = run(artifact, images, "--top", 1)
    assert (code, out.splitlines()[0]) == (0, f"{images}/\\udcff\\n.png")

    code, out, _ = run(artifact, images, "--json")
    assert (code, json.loads(out)["images"][0]["image"]) == (0, str(odd))


def test_the_first_label_takes_less_than_half_a_second_of_processor_time(artifact: Path, images: Path) -> None:
    """Processor time of the whole process, the least of three: other work on the machine does not count."""
    program = (
        "import sys, time; from depthwise.cli.main import cli;"
        f"cli.main(['run', {str(artifact)!r}, {str(images / 'b.png')!r}], standalone_mode=False);"
        "print(time.process_time(), file=sys.stderr);"
        "print(sorted({'torch', 'rich', 'jinja2', 'ziglang'} & set(sys.modules)), file=sys.stderr)"
    )
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        taken, modules = done.stderr.splitlines()
        assert modules == "[]"
        seconds.append(float(taken))
    assert min(seconds) < 0.5


def test_a_grey_image_of_20_000_by_1_pixels_is_labelled(artifact: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((1, 20_000), 90, np.uint8)).save(tmp_path / "line.png")

    code, out, _ = run(artifact, tmp_path / "line.png", "--top", 1)
    assert (code, out.splitlines()[1]) == (0, f"   33.33%  {RED}")
