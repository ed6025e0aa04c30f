"""Artifacts for a GPU as users get them, on a driver without one: the same answers, a sentence for what is missing."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest

from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import compile_model, emit_for
from depthwise.compiler.gpu.emit import KERNELS, emit_kernels
from depthwise.compiler.gpu.plan import plan_for_gpu
from depthwise.compiler.lower.compilation import compilation
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.kernels.cuda.rows import GPU
from depthwise.network import reference_int8
from depthwise.network.live import live
from depthwise.network.model import Model
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.host_gpu import assembler, fake_driver, host_kernels

SmallModel = Callable[..., Model]
SPEC = Spec(width=0.25, resolution=32, classes=5, shallow=True)
MODEL = random_quantized(SPEC, seed=3)
SEPARABLES, FEATURES = 8, 256


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An int8 artifact for the GPU."""
    out = tmp_path_factory.mktemp("gpu") / "model.so"
    compile_model(MODEL, target="cuda", out=out)
    return out


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> ctypes.CDLL:
    """A driver without a GPU, which has the kernels of MODEL."""
    folder = tmp_path_factory.mktemp("driver")
    job = compilation(MODEL, target="cuda", found=live(MODEL))
    text = emit_kernels(job, plan_for_gpu(job, Choices(precision="int8")))
    kernels = host_kernels(text, "int8", folder / "kernels", zig)
    library = fake_driver(folder, zig)
    assert library.fake_kernels(str(kernels).encode())
    return library


@pytest.fixture
def driver(loaded: ctypes.CDLL) -> Iterator[ctypes.CDLL]:
    """The same, as it was at first."""
    set_up(loaded)
    yield loaded
    set_up(loaded)
    assert ctypes.c_int.in_dll(loaded, "fake_alive").value == 0
    assert ctypes.c_int.in_dll(loaded, "fake_mode").value == 0


def set_up(driver: ctypes.CDLL, *, devices: int = 1, capability: int = 87, fails: str = "") -> None:
    ctypes.c_int.in_dll(driver, "fake_devices").value = devices
    ctypes.c_int.in_dll(driver, "fake_capability").value = capability
    (ctypes.c_char * 64).in_dll(driver, "fake_fails").value = fails.encode()
    said(driver)


def said(driver: ctypes.CDLL) -> list[str]:
    """What the driver did since it was asked last."""
    text = (ctypes.c_char * 16384).in_dll(driver, "fake_said")
    lines = text.value.decode().splitlines()
    text.value = b""
    return lines


def pixels(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SPEC.resolution, SPEC.resolution, 3), np.uint8)


def test_answers_are_those_of_the_oracle_to_the_last_bit_and_golden_cases_hold(
    built: Path, driver: ctypes.CDLL
) -> None:
    images = np.stack([pixels(seed) for seed in range(3)])
    expected = reference_int8.run(MODEL, images)
    with Artifact.open(built) as artifact:
        assert artifact.verify() == 0
        for image, probabilities, features in zip(images, expected.probabilities, expected.features, strict=True):
            assert artifact.features(image).tolist() == features.tolist()
            assert artifact.run(image) == pytest.approx(probabilities, abs=1e-6)
        assert (artifact.levels, artifact.record["precision"]) == (("cuda",), "int8")


def test_a_frame_becomes_one_launch_of_one_graph_with_every_kernel_in_its_order(
    built: Path, driver: ctypes.CDLL
) -> None:
    frame = np.random.default_rng(4).integers(0, 256, (40, 61, 3), np.uint8)
    with Artifact.open(built) as artifact:
        assert said(driver) == []
        assert (artifact.classify(frame) == artifact.run(artifact.prepare(frame))).all()
    first, second = np.split(np.array(said(driver)), 2)

    assert (first == second).all()
    names = [line.rsplit(" ", 3)[0] for line in first[1:-1]]
    assert names[0] == "dwl_conv_stem"
    assert all(name.startswith("dwl_blocks_") for name in names[1:-2])
    assert (len(names), names[-2:]) == (SEPARABLES + 3, ["dwl_global_pool", "dwl_classifier"])
    assert first[0] == f"to the GPU {SPEC.resolution**2 * 3}"
    # The sums of five labels, and the features behind them at a multiple of 64.
    assert first[-1] == f"from the GPU {64 + FEATURES}"


@pytest.mark.parametrize(
    ("devices", "capability", "fails"), [(0, 87, ""), (1, 60, ""), (1, 87, "cuInit"), (1, 87, "cuDeviceGetAttribute")]
)
def test_a_machine_without_a_gpu_that_can_run_it_is_told_so_in_one_sentence(
    built: Path, driver: ctypes.CDLL, devices: int, capability: int, fails: str
) -> None:
    set_up(driver, devices=devices, capability=capability, fails=fails)

    with pytest.raises(Refused, match=r"model\.so: needs an NVIDIA GPU of compute capability 6\.1 .* this machine"):
        Artifact.open(built)


def test_without_a_driver_the_same_sentence_is_all_that_a_user_sees(built: Path, tmp_path: Path) -> None:
    if find_library("cuda") is not None:
        pytest.skip("NVIDIA's driver is installed; what is said without one is not looked at")
    command = (sys.executable, "-c", "import sys; from depthwise.edge.command import main; main()", str(built), "a.ppm")
    (tmp_path / "a.ppm").write_bytes(b"P6 1 1 255\n\0\0\0")
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert done.returncode == 2
    assert "needs an NVIDIA GPU" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "function",
    [
        "cuDevicePrimaryCtxRetain",
        "cuModuleLoadData",
        "cuModuleGetFunction",
        "cuMemAlloc_v2",
        "cuMemAllocHost_v2",
        "cuStreamBeginCapture_v2",
        "cuLaunchKernel",
        "cuGraphInstantiateWithFlags",
        "cuGraphLaunch",
        "cuStreamSynchronize",
    ],
)
def test_what_a_driver_cannot_do_is_told_and_everything_is_given_back(
    built: Path, driver: ctypes.CDLL, function: str
) -> None:
    with Artifact.open(built) as artifact:
        set_up(driver, fails=function)
        for _ in range(2):
            with pytest.raises(Refused, match="was not carried out by the GPU: its memory is full"):
                artifact.run(pixels())
        set_up(driver)


def test_a_forked_process_is_told_to_open_the_artifact_itself(built: Path, driver: ctypes.CDLL) -> None:
    with Artifact.open(built) as artifact:
        artifact.run(pixels())
        process = os.fork()
        if process == 0:
            try:
                artifact.run(pixels())
            except Refused as refused:
                os._exit(7 if "open the artifact in each process" in str(refused) else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 7
        artifact.run(pixels())


def test_ptx_is_for_every_gpu_since_6_1_and_rounds_products_of_int8_for_themselves(built: Path, tmp_path: Path) -> None:
    """Rule R2 of docs/int8.md: a product that is fused with what follows is rounded otherwise."""
    job = compilation(MODEL, target="cuda", found=live(MODEL))
    emitted = emit_for(job, {"cuda": GPU}, Choices(precision="int8"))
    code = emitted.packed.words[emitted.packed.offsets[KERNELS] :].tobytes().rstrip(b"\0")
    content, text = built.read_bytes(), code.decode()

    # The version is that of CUDA 8: every driver since then reads it.
    assert text.startswith(".version 5.0\n.target sm_61\n")
    assert text.count(".entry") == SEPARABLES + 3
    # In those of several stretches threads meet once.
    assert text.count("bar.sync") == SEPARABLES + 1
    assert "mul.rn.f32" in text
    assert "fma." not in text
    # The same model gives the same bytes, and no path of this machine is among them.
    assert code in content
    assert b"/tmp" not in content

    if (ptxas := assembler()) is None:
        pytest.skip("Triton, which brings NVIDIA's assembler, is not installed; PTX is not assembled for a Jetson")
    (tmp_path / "kernels.ptx").write_bytes(code)
    subprocess.run((ptxas, "-arch=sm_87", "kernels.ptx", "-o", "kernels.cubin"), cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"precision": "bf16"}, "target cuda computes in float16 or int8, not in bf16; leave --precision away"),
        ({"form": "program"}, "target cuda has no form program; leave --form away for a library"),
        ({"cpu": "avx2"}, "target cuda here has no processors to choose among"),
        ({"cc": "cc"}, "--cc compiles for this machine only; leave it away for target cuda"),
        ({"threads": 2}, "--threads is 2, and calls of target cuda run on one thread"),
        ({"target": "host", "precision": "float16"}, "float16 is for target cuda; for target host leave --precision"),
    ],
)
def test_what_the_target_has_not_is_refused_in_one_sentence(
    given: dict[str, str], sentence: str, tmp_path: Path, small_model: SmallModel
) -> None:
    with pytest.raises(Refused, match=sentence):
        compile_model(small_model(), out=tmp_path / "model.so", **{"target": "cuda", **given})  # type: ignore[arg-type]


def test_the_twin_and_weights_beyond_float16_are_refused_by_the_name_of_their_layer(small_model: SmallModel) -> None:
    twin = small_model(convolution="standard")
    job = compilation(twin, target="cuda", precision="float16")
    with pytest.raises(Refused, match=r"layer blocks\.0\.0\.conv is a standard convolution, and target cuda has"):
        plan_for_gpu(job, Choices(precision="float16"))

    model = small_model()
    model.weights["classifier.weight"][0, 0] = 70_000
    with pytest.raises(Refused, match=r"layer classifier: a weight of 70,000 does not fit into float16; quantise"):
        compilation(model, target="cuda", precision="float16")
