"""Artifacts as users get them: built by the compiler, read from the file, called through the interface."""

from __future__ import annotations

import ctypes
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from conftest import make_model
from depthwise.compiler import Built, compile_model
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.outputs.trailer import TRAILER
from depthwise.compiler.targets import at_level, target
from depthwise.edge.artifact import Artifact
from depthwise.edge.pixels import prepare
from depthwise.errors import Refused
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network import reference
from depthwise.network.model import Model
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.emitted import aligned, predefined

LABELS = (
    "quotes \"and\" 'these'",
    "back\\slash \\n \\0",
    "new\nline\r\ttab",
    "*/ end of comment /*",
    "</script><b>",
    "%s %n %d",
    "??/ ??) ??= trigraphs",
    "🐳 für 鲸",
    "\x01\x7f9",
    "// a line \\",
)
STATUS = {"DW_OK": 0, "DW_NO_POINTER": 1, "DW_FRAME_SIZE": 2, "DW_ARENA_ALIGNMENT": 3}
# A path that is not UTF-8 comes as lone surrogates.
NOTE = "".join(LABELS) + "\udcff \ud800"


@pytest.fixture(scope="module")
def model() -> Model:
    found = make_model(seed=2, labels=LABELS, resolution=33, shallow=True)
    seen = [str(number) for number in range(100)]
    return found.replace(provenance={"note": NOTE, "of": {"seen": seen}}, accuracy={"top1": 0.5})


@pytest.fixture(scope="module")
def built(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return compile_model(model, target="host", out=tmp_path_factory.mktemp("built") / "model.so", extra={"ours": [1]})


@pytest.fixture(scope="module")
def built_by_gcc(model: Model, gcc: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The same by a compiler of the system."""
    out = tmp_path_factory.mktemp("built") / "model.so"
    return compile_model(model, target="host", out=out, cc=gcc, extra={"ours": [1]})


def pixels_of(model: Model, images: int = 3) -> np.ndarray:
    size = model.spec.resolution
    return np.random.default_rng(8).integers(0, 256, (images, size, size, model.spec.channels), np.uint8)


def test_probabilities_and_features_are_those_of_the_oracle(model: Model, built: Built) -> None:
    pixels = pixels_of(model)
    expected = reference.run(model, pixels)
    with Artifact.open(built.path) as artifact:
        for image, probabilities, features in zip(pixels, expected.probabilities, expected.features, strict=True):
            assert artifact.run(image) == pytest.approx(probabilities, abs=1e-5)
            assert artifact.features(image) == pytest.approx(features, abs=1e-5)


def test_a_frame_gives_what_its_prepared_pixels_give(model: Model, built: Built) -> None:
    frame = np.random.default_rng(9).integers(0, 256, (70, 111, 3), np.uint8)
    prepared = prepare(frame, resize=model.preprocessing.resize, crop=model.preprocessing.crop)
    with Artifact.open(built.path) as artifact:
        assert (artifact.prepare(frame) == prepared).all()
        assert (artifact.classify(frame) == artifact.run(prepared)).all()


def test_labels_and_record_come_back_whatever_they_hold(model: Model, built: Built) -> None:
    with Artifact.open(built.path) as artifact:
        assert artifact.labels == LABELS
        assert artifact.record["provenance"]["note"] == NOTE
        assert artifact.record["provenance"]["of"]["seen"] == [str(number) for number in range(64)]
        assert artifact.record["spec"] == model.spec.to_dict()
        assert artifact.record["preprocessing"] == model.preprocessing.to_dict()
        assert artifact.record["accuracy"] == {"top1": 0.5}
        assert artifact.record["extra"] == {"ours": [1]}
        assert artifact.record["cost"] == {
            "multiply_adds": built.multiply_adds,
            "live_multiply_adds": built.live_multiply_adds,
            "weight_bytes": built.weight_bytes,
            "arena_bytes": built.arena_bytes,
        }
        assert artifact.arena_bytes == built.arena_bytes
        assert artifact.input_shape == (33, 33, 3)


def test_the_golden_cases_hold(built: Built) -> None:
    with Artifact.open(built.path) as artifact:
        assert artifact.verify() < 1e-5


def test_threads_with_arenas_of_their_own_give_the_answers_of_one(model: Model, built: Built) -> None:
    pixels = pixels_of(model, 8)
    library = ctypes.CDLL(str(built.path))

    def answer(image: np.ndarray) -> list[float]:
        arena, found = aligned(built.arena_bytes, 0xFF), np.zeros(len(LABELS), np.float32)
        for _ in range(5):
            assert library.dw_run(*(ctypes.c_void_p(a.ctypes.data) for a in (image, found, arena))) == 0
        return found.tolist()

    alone = [answer(image) for image in pixels]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, pixels)) == alone


def test_what_an_artifact_leaves_in_its_arena_does_not_change_the_next_answer(model: Model, built: Built) -> None:
    first, second = pixels_of(model, 2)
    with Artifact.open(built.path) as artifact:
        fresh = artifact.run(second)
        artifact.run(first)
        artifact.verify()
        assert (artifact.run(second) == fresh).all()


@pytest.mark.parametrize(
    ("function", "arguments", "status"),
    [
        ("dw_run", (None, "out", None), "DW_NO_POINTER"),
        ("dw_run", ("in", None, None), "DW_NO_POINTER"),
        ("dw_run", ("in", "out", "odd"), "DW_ARENA_ALIGNMENT"),
        ("dw_features", (None, "out", None), "DW_NO_POINTER"),
        ("dw_features", ("in", None, None), "DW_NO_POINTER"),
        ("dw_features", ("in", "out", "odd"), "DW_ARENA_ALIGNMENT"),
        ("dw_classify", (None, 9, 9, 27, "out", None), "DW_NO_POINTER"),
        ("dw_classify", ("in", 9, 9, 27, None, None), "DW_NO_POINTER"),
        ("dw_classify", ("in", 0, 9, 27, "out", None), "DW_FRAME_SIZE"),
        ("dw_classify", ("in", 9, 9, 26, "out", None), "DW_FRAME_SIZE"),
        ("dw_classify", ("in", 9, 9, 27, "out", "odd"), "DW_ARENA_ALIGNMENT"),
        ("dw_prepare", ("in", 9, 65536, 1 << 20, "out", None), "DW_FRAME_SIZE"),
        ("dw_prepare", ("in", 9, 9, 27, None, None), "DW_NO_POINTER"),
        ("dw_prepare", ("in", 9, 9, 27, "out", "odd"), "DW_ARENA_ALIGNMENT"),
        ("dw_verify", (None, "odd"), "DW_ARENA_ALIGNMENT"),
        ("dw_verify", (None, None), "DW_OK"),
    ],
    ids=str,
)
def test_a_call_that_cannot_be_done_says_why(
    function: str, arguments: tuple[object, ...], status: str, built: Built
) -> None:
    room = aligned(1 << 16, 0)
    places = {"in": room.ctypes.data, "out": room.ctypes.data + (1 << 15), "odd": room.ctypes.data + 32}
    given = [
        ctypes.c_void_p(places[a]) if isinstance(a, str) else ctypes.c_int64(a) if isinstance(a, int) else None
        for a in arguments
    ]

    assert ctypes.CDLL(str(built.path))[function](*given) == STATUS[status]


def test_a_label_out_of_range_is_null(built: Built) -> None:
    library = ctypes.CDLL(str(built.path))
    library.dw_label.restype = ctypes.c_char_p

    assert [library.dw_label(i) for i in (-1, len(LABELS), -(2**31), 2**31 - 1)] == [None] * 4


def test_the_trailer_tells_length_checksum_and_interface(built: Built) -> None:
    content = built.path.read_bytes()
    library = content[: -TRAILER.size]

    assert TRAILER.size == 28
    assert TRAILER.unpack(content[-28:]) == (b"DWTRAIL2", len(library), crc32(library), 1, 4)
    assert built.bytes == len(content)


def test_the_same_model_gives_the_same_bytes_from_any_folder_and_replaces_an_older_artifact_whole(
    model: Model, built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a longer name" / "model.so"
    out.parent.mkdir()
    out.write_bytes(b"older" + built.path.read_bytes())
    _repeats(None, model, built, out, monkeypatch)

    assert [path.name for path in out.parent.iterdir() if path.name != "cache"] == ["model.so"]


def test_a_compiler_of_the_system_gives_the_same_bytes_from_any_folder(
    gcc: str, model: Model, built_by_gcc: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a longer name" / "model.so"
    out.parent.mkdir()
    _repeats(gcc, model, built_by_gcc, out, monkeypatch)


def _repeats(cc: str | None, model: Model, built: Built, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build once more from a folder in which the compiler works too, with no cache."""
    monkeypatch.chdir(out.parent)
    monkeypatch.setenv("TMPDIR", str(out.parent))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(out.parent / "cache"))
    compile_model(model, target="host", out=Path(out.name), cc=cc, extra={"ours": [1]})

    assert out.read_bytes() == built.path.read_bytes()
    assert str(out.parent).encode() not in out.read_bytes()
    assert str(built.path.parent).encode() not in out.read_bytes()


def test_a_compiler_of_the_system_gives_the_same_answers(model: Model, built_by_gcc: Built) -> None:
    pixels = pixels_of(model)
    with Artifact.open(built_by_gcc.path) as artifact:
        assert artifact.labels == LABELS
        expected = reference.run(model, pixels).probabilities
        assert np.stack([artifact.run(image) for image in pixels]) == pytest.approx(expected, abs=1e-5)


def _runs_here(name: str) -> bool:
    """Whether this processor has what a target asks for, as the compiler says of this machine."""
    machine, wanted = compiler(target("host"), None).machine(), target(name).machine
    return wanted is not None and os.uname().machine == "x86_64" and machine.lanes >= wanted.lanes


# One for all x86 is that of test_levels.py.
@pytest.mark.parametrize("name", ["linux-x86_64-v3", "linux-x86_64-v4"])
def test_an_artifact_for_another_x86_gives_the_same_answers(name: str, model: Model, tmp_path: Path) -> None:
    built = compile_model(model, target=name, out=tmp_path / "model.so")
    if not _runs_here(name):
        pytest.skip(f"this processor is no {name}; its artifact was built and not run")
    with Artifact.open(built.path) as artifact:
        assert artifact.verify() < 1e-5
        assert artifact.record["target"] == name


def test_a_level_forced_down_is_that_processor() -> None:
    assert [at_level(target("host"), level.name).machine for level in LEVELS] == [level.machine for level in LEVELS]


# All levels of a library are run by test_levels.py; here one below and one above most processors, for each precision.
@pytest.mark.parametrize(
    ("precision", "name"), [("float32", "portable"), ("float32", "avx512"), ("int8", "v2"), ("int8", "vbmi")]
)
def test_a_level_forced_down_gives_the_oracles_answers_or_is_refused(
    precision: str, name: str, model: Model, tmp_path: Path, zig: tuple[str, ...]
) -> None:
    level = next(level for level in LEVELS if level.name == name)
    shallow = Spec(width=0.1, resolution=32, classes=11, shallow=True)
    chosen = model if precision == "float32" else random_quantized(shallow, 1)
    built = compile_model(chosen, target="host", out=tmp_path / "model.so", cpu=level.name)

    assert built.plan.machine == level.machine
    if not level.machine.features <= predefined(zig):
        with pytest.raises(Refused, match="was built for a processor with instructions that this one lacks"):
            Artifact.open(built.path)
        return
    with Artifact.open(built.path) as artifact:
        assert artifact.verify() <= (1e-5 if precision == "float32" else 0)


def test_a_level_that_does_not_exist_or_does_not_fit_is_refused(model: Model, tmp_path: Path) -> None:
    for chosen, cpu, message in (
        ("host", "sse9", "there is no processor 'sse9'; --cpu takes portable, v2, avx2"),
        ("linux-aarch64", "avx2", "there is no processor 'avx2'; --cpu takes neon"),
        ("linux-armv7", "avx2", "--cpu: target linux-armv7 here has no processors to choose among"),
        ("source", "avx2", "--cpu: target source here has no processors to choose among"),
    ):
        with pytest.raises(Refused, match=message):
            compile_model(model, target=chosen, out=tmp_path / "model.so", cpu=cpu)


def test_refusals_of_compilers_say_what_to_do(model: Model, tmp_path: Path) -> None:
    out = tmp_path / "model.so"
    for name, cc, message in (
        ("host", "no-such-cc", "there is no compiler 'no-such-cc' on the path"),
        ("linux-aarch64", "gcc", "--cc compiles for this machine only"),
        ("source", "gcc", "target source writes C and compiles nothing"),
        ("host", shutil.which("false") or "false", "ended with 1 while it built the artifact"),
    ):
        with pytest.raises(Refused, match=message):
            compile_model(model, target=name, out=out, cc=cc)
    assert not out.exists()


def test_an_artifact_that_cannot_be_written_is_refused_and_leaves_nothing(model: Model, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match=r"cannot be written .*; choose another place"):
        compile_model(model, target="linux-x86_64", out=tmp_path / "file" / "model.so")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_weights_that_do_not_fit_into_float32_once_folded_are_refused_by_layer(tmp_path: Path) -> None:
    model = make_model()
    weights = dict(model.weights)
    weights["blocks.0.0.bn1.weight"] = np.full_like(weights["blocks.0.0.bn1.weight"], 3e38)
    weights["blocks.0.0.bn1.running_var"] = np.zeros_like(weights["blocks.0.0.bn1.running_var"])
    with pytest.raises(Refused, match=r"layer blocks\.0\.0\.conv_dw: a weight does not fit into float32"):
        compile_model(model.replace(weights=weights), target="source", out=tmp_path / "source")
