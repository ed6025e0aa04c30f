"""The window: the newest frame with its label over it, on a screen in memory, and closed in order."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.edge.artifact import Artifact
from depthwise.edge.frames import LAYOUTS, Frame
from depthwise.edge.live.loop import Live
from depthwise.edge.live.source import Captured, Notice
from depthwise.edge.live.window import Window, lines_of, watch
from depthwise.errors import Refused

COMMAND = [sys.executable, "-c", "from depthwise.edge.command import main; main()"]
BLUE = (20, 20, 250)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """Xvfb's name of a screen in memory."""
    pytest.importorskip("tkinter", reason="Python has no tkinter; no window is opened")
    read, write = os.pipe()
    try:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-nolisten", "tcp", "-screen", "0", "1000x800x24"],
            pass_fds=[write], stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        os.close(read)
        pytest.skip("Xvfb is not installed; no window is opened")
    finally:
        os.close(write)
    with server:
        with os.fdopen(read) as said:
            number = said.readline().strip()
        if number:
            yield f":{number}"
        server.terminate()
    if not number:
        pytest.skip("Xvfb does not start here; no window is opened")


@pytest.fixture
def window(screen: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("DISPLAY", screen)
    opened = Window("depthwise")
    yield opened
    opened.end()


def test_nothing_of_a_window_is_left_to_another_thread(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys know it, and it knows its keys: such a circle is freed by whichever thread the collector runs in."""
    monkeypatch.setenv("DISPLAY", screen)
    opened = Window("depthwise")
    root = weakref.ref(opened._root)
    gc.disable()
    try:
        opened.end()
        assert root() is None
    finally:
        gc.enable()


class Endless:
    """A camera that sees blue until it is no longer asked."""

    every = False

    def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
        del notice
        frame = Frame.of_bytes(LAYOUTS["rgb"], 48, 64, bytes(BLUE) * 64 * 48)
        while not stop.wait(0.01):
            yield Captured(frame=frame, at=time.monotonic(), time=time.monotonic(), waited=0.0)


def picture_of(screen: str) -> np.ndarray[Any, Any]:
    """What the screen shows, (800, 1000, 3)."""
    from PIL import ImageGrab, features

    if not features.check("xcb"):
        pytest.skip("this Pillow cannot read a screen")
    return np.asarray(ImageGrab.grab(xdisplay=screen).convert("RGB"))


def test_the_frame_is_shown_and_its_label_rate_and_times_over_it(path: Path, screen: str, window: Window) -> None:
    with Artifact.open(path) as artifact, Live(artifact, Endless(), smooth=0) as live:
        for _ in range(3):
            seen = next(live)
            window.show(seen, live.figures)
            assert window.is_open()
        # What was drawn is on the screen soon, and not at once.
        for _ in range(100):
            shown = picture_of(screen)
            if (shown[400:700, 100:900] == BLUE).all() and (shown[:100] == 255).any():
                break
            window.is_open()
            time.sleep(0.05)
        label, times = lines_of(seen, live.figures)

    # Without a window manager it lies in the screen's corner; frames of 64 x 48 fill its 960 x 720.
    assert (shown[400:700, 100:900] == BLUE).all()
    black = (shown == 0).all(axis=-1)
    rows, columns = np.flatnonzero(black[:720, 0]), np.flatnonzero(black[0, :960])
    assert (rows[0], columns[0]) == (0, 0)
    over = shown[: rows[-1], : columns[-1]]
    assert (over == 255).all(axis=-1).sum() > 500
    assert (over == BLUE).all(axis=-1).sum() == 0
    # A label with a line break, and one that is no letter of any language, stays one line.
    assert label == "blue 🐳  86%"
    assert times.count("\n") == 1
    for word in ("frames/s", "dropped", "capture", "decode", "resize", "network", "age"):
        assert word in times


@pytest.mark.parametrize("way", ["q", "Escape", "its button"])
def test_a_closed_window_ends_the_labels_even_while_no_frame_comes(way: str, path: Path, window: Window) -> None:
    class Silent(Endless):
        def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
            yield next(super().frames(stop, notice))
            stop.wait()

    def close() -> None:
        # A window that is not on the screen yet hears no keys; so it is said until it was heard.
        if next(tries, None) is None:
            window._close()
        elif live.figures.frames and way == "its button":
            root.tk.eval(root.protocol("WM_DELETE_WINDOW"))
        elif live.figures.frames:
            root.focus_force()
            root.event_generate(f"<{way}>")
        root.after(100, close)

    root, tries = window._root, iter(range(300))
    root.after(100, close)
    with Artifact.open(path) as artifact, Live(artifact, Silent()) as live:
        watch(window, live, live)

        assert next(tries, None) is not None
        assert live.figures.frames == 1
        assert not live._thread.is_alive()


def test_what_ends_the_labels_is_raised_where_the_window_is(path: Path, window: Window) -> None:
    class Broken(Endless):
        def frames(self, stop: threading.Event, notice: Notice) -> Iterator[Captured]:
            yield next(super().frames(stop, notice))
            raise Refused("camera 0: burnt down")

    with (
        Artifact.open(path) as artifact,
        Live(artifact, Broken()) as live,
        pytest.raises(Refused, match="camera 0: burnt down"),
    ):
        watch(window, live, live)


def test_a_signal_closes_the_window_and_the_figures_are_printed(path: Path, screen: str) -> None:
    command = [*COMMAND, str(path), "--frames", "-", "--size", "4x4", "--json", "--window"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DISPLAY": screen},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(bytes(48))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["frame"] == 0
        process.send_signal(signal.SIGTERM)
        rest, said = process.communicate(timeout=60)

    assert json.loads(rest)["summary"]["frames"] == 1
    assert (process.returncode, said.strip()) == (143, b"terminated")


def test_without_a_screen_one_sentence_says_so(path: Path) -> None:
    pytest.importorskip("tkinter", reason="Python has no tkinter")
    if sys.platform != "linux":
        pytest.skip("this system always has a screen")
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [*COMMAND, str(path), "--frames", "-", "--size", "4x4", "--window"]

    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, env=env)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: --window: there is no screen here (")
    assert done.stderr.endswith("leave --window away\n")
    assert done.stderr.count("\n") == 1
