#!/usr/bin/env python3
"""From the start of a Python process to its first label, ours beside LiteRT's: python scripts/measure_first.py [STARTS]

The network is int8 0.5-160 with random weights. Each way is a program as a user writes it, started so many times, all
in turns; printed are the least and the median of milliseconds until its line arrives. Needs `depthwise[bench]`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from depthwise.bench.peers import forms, peer
from depthwise.bench.process import environment
from depthwise.bench.subject import comparison_images, random_subject
from depthwise.network.spec import Spec

WAYS = {
    "ours, prepared bytes with numpy": """
import numpy as np
from depthwise.edge.artifact import Artifact
with Artifact.open("artifact.so") as artifact:
    print(artifact.run(np.load("pixels.npy")).argmax(), flush=True)
""",
    "LiteRT, prepared bytes with numpy": """
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter("int8.tflite")
interpreter.allocate_tensors()
pixels = (np.load("pixels.npy") ^ 0x80).view(np.int8)
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None])
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].argmax(), flush=True)
""",
    "ours, a photo": """
from depthwise.edge.artifact import Artifact
from depthwise.edge.decoding import picture
with Artifact.open("artifact.so") as artifact:
    probabilities = artifact.label(picture("photo.jpg"))
    print(probabilities.index(max(probabilities)), flush=True)
""",
    "LiteRT, a photo with Pillow and numpy": """
import numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter("int8.tflite")
interpreter.allocate_tensors()
image = Image.open("photo.jpg").resize((160, 160), Image.Resampling.BILINEAR)
pixels = (np.asarray(image) ^ 0x80).view(np.int8)
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None])
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].argmax(), flush=True)
""",
    "depthwise run": """
import sys
from depthwise.cli.main import main
sys.argv = ["depthwise", "run", "artifact.so", "photo.jpg"]
main()
""",
}


def main(starts: int) -> int:
    """Print one line for each way."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for number, code in enumerate(WAYS.values()):
            (folder / f"{number}.py").write_text(code)
            start(folder, number)  # compiles Python files that are not yet
        times: dict[str, list[float]] = {way: [] for way in WAYS}
        for turn in range(starts):
            for step in range(len(WAYS)):
                number = (turn + step) % len(WAYS)
                times[list(WAYS)[number]].append(start(folder, number))
    for way, found in times.items():
        print(f"{way}: least {min(found):.1f} ms, median {statistics.median(found):.1f} ms, {starts} starts")
    return 0


def prepare(folder: Path) -> None:
    """The artifact, LiteRT's file, the pixels and a photo of 640 x 480."""
    subject = random_subject(Spec(width=0.5, resolution=160), "int8")
    for name in ("depthwise", "litert"):
        peer(name).write(subject.model, forms(name, "int8", keep_dead=True)[0], folder)
    pixels = comparison_images(subject.model.spec)[-1]
    np.save(folder / "pixels.npy", pixels)
    Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC).save(folder / "photo.jpg")


def start(folder: Path, number: int) -> float:
    """Milliseconds until a program says something; its exit is waited for, and not counted."""
    command = [sys.executable, f"{number}.py"]
    begun = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment(threads=1), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - begun
        process.stdout.read()
    if process.returncode != 0 or not line:
        raise SystemExit(f"{list(WAYS)[number]} ended with {process.returncode}")
    return taken * 1e3


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
