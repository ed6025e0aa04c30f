#!/usr/bin/env python3
"""Count the instructions that other runtimes take for an inference on emulated processors of ARM, beside ours.

usage: scripts/count_peers.py FOLDER [NETWORK ...]

FOLDER keeps a Python for 64-bit ARM with its libraries and with the runtimes' wheels beside each other; where there is
none yet, it is filled (Debian's packages by apt-get, the wheels by pip, about 200 MB). NETWORK is as in 0.25-128, with
random weights and 1,000 labels; without one, 0.25-128 and 0.5-160. Networks are written here, and each runtime loads
and runs them in that Python under qemu on one thread, as `depthwise bench` does: counted is the call alone, without
what comes before it (docs/bench.md). Runtimes choose kernels by what the system says of the processor, which is told
them as files under FOLDER. The lines are those of docs/arm.md. Needs Debian 12, `depthwise[bench]`, and what
scripts/count_instructions.py needs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from count_instructions import plugin_in
from depthwise.bench.peers import NAMES, forms, peer
from depthwise.bench.subject import random_subject
from depthwise.network.spec import Spec
from depthwise.precision import Precision
from emulators import EMULATORS, Emulator

ROOT = Path(__file__).resolve().parents[1]
USUAL = ("0.25-128", "0.5-160")
RUNTIMES: dict[str, tuple[Precision, ...]] = {
    "litert": ("int8", "float32"),
    "onnxruntime": ("int8", "float32"),
    "ncnn": ("float32",),
}
PYTHON = (
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libc6",
    "libexpat1",
    "zlib1g",
    "libssl3",
    "libffi8",
    "libbz2-1.0",
    "liblzma5",
    "libgcc-s1",
    "libuuid1",
    "libcrypt1",
    "libtinfo6",
    "libstdc++6",
    "libsqlite3-0",
    "libgomp1",
)
WHEELS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_24_aarch64", "manylinux2014_aarch64")
# What Linux says of a processor: its number in /proc/cpuinfo, and instructions there.
USUAL_FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
SAID = {
    "cortex-a72": ("0xd08", USUAL_FEATURES),
    "cortex-a76": ("0xd0b", f"{USUAL_FEATURES} atomics fphp asimdhp asimdrdm asimddp"),
    "max": ("0xd49", f"{USUAL_FEATURES} atomics fphp asimdhp asimdrdm asimddp i8mm bf16"),
}
# In the emulated Python: RUNTIME PRECISION MEAN FILE ...; the first pair of calls has nothing between.
WORKER = """
import json, os, sys
from pathlib import Path
import numpy as np
from depthwise.bench.peers import Setting, peer
name, precision, mean, *files = sys.argv[1:]
os.getppid()
os.getppid()
for file in files:
    side, path = file.split("=")
    runner = peer(name).load(Path(path), Setting(precision=precision, threads=1, mean=tuple(json.loads(mean))))
    runner.convert(np.random.default_rng(1).integers(0, 256, (int(side), int(side), 3), np.uint8))
    runner.run()
    os.getppid()
    runner.run()
    os.getppid()
"""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A network in the form of a runtime."""

    network: str
    path: Path
    mean: tuple[float, ...]


def main(arguments: list[str]) -> int:
    """Fill the folder, and print a line for each runtime, precision and processor."""
    if not arguments or arguments[0].startswith("-"):
        print((__doc__ or "").strip())
        return 2
    folder, networks = Path(arguments[0]).resolve(), tuple(arguments[1:]) or USUAL
    if not (folder / "site").is_dir():
        lay(folder)
    emulator = EMULATORS["linux-aarch64"]
    print(
        f"| runtime | precision | processor | {' | '.join(networks)} |\n| --- | --- | --- |{' ---: |' * len(networks)}"
    )
    with tempfile.TemporaryDirectory(prefix="depthwise-peers-") as place:
        for name, precisions in RUNTIMES.items():
            for precision in precisions:
                files = [written(name, precision, text, Path(place)) for text in networks]
                for cpu in SAID:
                    counts = counted(folder, emulator, cpu, name, precision, files)
                    title = f"{name} {metadata.version(NAMES[name][1])}"
                    print(
                        f"| {title} | {precision} | {cpu} | {' | '.join(f'{n / 1e6:.2f}' for n in counts)} |",
                        flush=True,
                    )
    return 0


def lay(folder: Path) -> None:
    """Fill the folder: Debian's Python for 64-bit ARM under root/, and wheels of the runtimes under site/."""
    for part in ("state/lists/partial", "cache/archives/partial", "debs", "root"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    own = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in own.items())]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "download", *PYTHON], cwd=folder / "debs", check=True)
    for package in sorted((folder / "debs").glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, folder / "root"], check=True)
    pinned = [f"{package}=={metadata.version(package)}" for package in (NAMES[name][1] for name in RUNTIMES)]
    platforms = [word for wheel in WHEELS for word in ("--platform", wheel)]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "site"), "--only-binary=:all:"]
    subprocess.run([*pip, "--python-version", "3.11", "--implementation", "cp", *platforms, *pinned], check=True)


def written(name: str, precision: Precision, text: str, place: Path) -> Written:
    """The file of a network for a runtime."""
    width, side = text.split("-")
    model = random_subject(Spec(width=float(width), resolution=int(side), classes=1000), precision).model
    folder = place / f"{name}-{precision}-{text}"
    folder.mkdir()
    path = peer(name).write(model, forms(name, precision, keep_dead=True)[0], folder)
    return Written(network=text, path=path, mean=tuple(map(float, model.preprocessing.mean)))


def counted(
    folder: Path, emulator: Emulator, cpu: str, name: str, precision: Precision, files: list[Written]
) -> list[int]:
    """Instructions of one inference of each network."""
    tell(folder / "root", cpu)
    processor = next(processor for processor in emulator.processors if processor.name == cpu)
    plugin = f"{plugin_in(folder)},call={emulator.getppid}"
    words = [name, precision, str(list(files[0].mean)), *(f"{one.network.split('-')[1]}={one.path}" for one in files)]
    python = folder / "root" / "usr" / "bin" / "python3.11"
    command = ["setarch", "-R", emulator.program, "-L", str(folder / "root"), "-cpu", processor.cpu]
    done = subprocess.run(
        [*command, "-d", "plugin", "-plugin", plugin, str(python), "-S", "-c", WORKER, *words],
        env=os.environ
        | {
            "PYTHONHOME": str(folder / "root" / "usr"),
            "PYTHONPATH": f"{folder / 'site'}:{ROOT / 'src'}",
            "PYTHONHASHSEED": "0",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    counts = [int(line) for line in done.stderr.splitlines() if line.isdecimal()]
    if done.returncode != 0 or len(counts) != len(files) + 1:
        raise SystemExit(f"{name} on {cpu} ended with {done.returncode}: {done.stderr[-2000:]}")
    return [count - counts[0] for count in counts[1:]]


def tell(root: Path, cpu: str) -> None:
    """Write what Linux says of a processor where the emulated process looks for it."""
    part, features = SAID[cpu]
    for file, text in {
        "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 50.00\n"
        f"Features\t: {features}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
        f"CPU part\t: {part}\nCPU revision\t: 1\n\n",
        "sys/devices/system/cpu/possible": "0\n",
        "sys/devices/system/cpu/present": "0\n",
        "sys/devices/system/cpu/online": "0\n",
    }.items():
        place = root / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="ascii")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
