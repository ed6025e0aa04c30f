"""Cameras through ffmpeg's own input of V4L2: its calls of the system are answered by tools/fake_camera.c."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from depthwise.edge.live import camera
from depthwise.edge.live.camera import Camera
from depthwise.errors import Refused
from tools.plain_artifact import ZIG

SOURCE = Path(__file__).parents[1] / "tools/fake_camera.c"
# Labels what each camera sees, `NAME` or `NAME@SIZE`: layout, size and first byte of twelve frames, once it is closed.
# For the first picture of `NAME!` it waits half a second.
DRIVER = """
import json, sys
import depthwise
from depthwise.edge.live import camera
camera._SILENCE, camera._AGAIN = 0.3, 0.05
for given in sys.argv[2:]:
    camera._FIRST = 0.5 if given.endswith("!") else 60.0
    name, _, size = given.rstrip("!").partition("@")
    frames, said, refused = [], [], ""
    try:
        with depthwise.live(sys.argv[1], camera=name, size=size or None, every=True, notice=said.append) as live:
            for seen in live:
                frames.append(seen.frame)
                if len(frames) == 12:
                    break
    except depthwise.errors.Refused as refusal:
        refused = str(refusal)
    shown = [(frame.layout.name, frame.width, frame.height, frame.content()[0]) for frame in frames]
    print(json.dumps({"frames": shown, "said": said, "refused": refused}), flush=True)
"""
Run = dict[str, Any]


class System:
    """A machine whose cameras are files of a folder."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "FAKE_CAMERAS": str(folder), "LD_PRELOAD": str(library)}

    def plug(self, number: int, words: str) -> None:
        """Let a camera be there."""
        (self.folder / "new").write_text(words)
        (self.folder / "new").rename(self.folder / f"video{number}")

    def see(self, artifact: Path, *names: str) -> list[Run]:
        """What was seen of each."""
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, str(artifact), *names],
            env=self.env, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("av", reason="PyAV is not installed; no camera is opened")
    if sys.platform != "linux":
        pytest.skip("this machine lacks __V4L2__")
    place = tmp_path_factory.mktemp("camera") / "camera.so"
    command = [*ZIG[:4], "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(place), str(SOURCE)]
    subprocess.run(command, check=True, capture_output=True)
    return place


@pytest.fixture
def system(library: Path, tmp_path: Path) -> System:
    return System(tmp_path, library)


def test_pictures_of_each_layout_come_whole_and_stay_when_the_camera_is_gone(system: System, path: Path) -> None:
    Image.new("RGB", (1280, 720), (250, 20, 20)).save(system.folder / "mjpeg", "JPEG")
    system.plug(0, "yuyv 64 48")
    system.plug(1, "nv12 64 48")
    system.plug(2, "mjpeg 1280 720")

    yuyv, nv12, small, mjpeg = system.see(path, "0", "/dev/video1", "0@1280x720", "2@1280x720")

    # The fake's n-th picture is 16 + n bright. Frames hold it, though the driver's four buffers are long unmapped.
    assert yuyv["frames"] == [["yuyv", 64, 48, 16 + number] for number in range(12)]
    assert nv12["frames"] == [["nv12", 64, 48, 16 + number] for number in range(12)]
    # A size that a camera lacks: the driver gives what it has.
    assert small["frames"] == yuyv["frames"]
    assert small["said"] == ["camera 0: 64 x 48"]
    # The Y of that red by JPEG's BT.601 in the full range: 0.299 x 250 + 0.701 x 20.
    assert [frame[:3] for frame in mjpeg["frames"]] == [["yuv420", 1280, 720]] * 12
    assert {frame[3] for frame in mjpeg["frames"]} <= {88, 89, 90}


def test_a_damaged_picture_is_left_out_and_the_next_one_comes(system: System, path: Path) -> None:
    system.plug(0, "nv12 64 48 torn=3")
    system.plug(1, "nv12 64 48 short=5")

    torn, short = system.see(path, "0", "1")

    assert [frame[3] - 16 for frame in torn["frames"]] == [0, 1, 2, *range(4, 13)]
    assert [frame[3] - 16 for frame in short["frames"]] == [*range(5), *range(6, 13)]


def test_a_camera_that_cannot_be_opened_says_why_and_what_to_do(system: System, path: Path) -> None:
    film = system.folder / "film.mp4"
    film.write_bytes(b"")
    words = ("busy", "denied", "nospace", "metadata", "silent=0")
    for number, word in enumerate(words):
        system.plug(number, f"yuyv 64 48 {word}")
    system.plug(5, "bayer 64 48")
    says = {
        "0": "(Device or resource busy): another program uses it",
        "1": "(Permission denied): this user may not use it; on Linux: sudo usermod -aG video",
        "2": "(No space left on device): its bus has no room for its pictures; ask for smaller ones",
        "3": "(No such device): is no camera, or a part of one that gives no pictures; try the other numbers",
        "4!": "camera 4: sends nothing; is another program using it?",
        "5": "(Invalid argument): gives its pictures in no layout that can be read",
        "9": "camera 9: there is no /dev/video9; ",
        "/dev/null": "(Inappropriate ioctl for device): is no camera",
        str(film): f"is a file; give it with --video {film}",
        "rtsp:rtsp://camera/1": "is an address, and depthwise opens no connection",
        "pigeon:1": "(no container format 'pigeon')",
    }

    found = system.see(path, *says)

    for one, text in zip(found, says.values(), strict=True):
        assert one["frames"] == []
        assert text in one["refused"]


def test_a_camera_that_hangs_is_opened_anew(system: System, path: Path) -> None:
    system.plug(0, "yuyv 64 48 silent=6")

    (found,) = system.see(path, "0")

    assert [frame[3] - 16 for frame in found["frames"]] == [*range(6), *range(6)]
    assert found["said"] == ["camera 0: 64 x 48", "camera 0: went away, waiting for it", "camera 0: 64 x 48"]


def test_a_camera_that_is_unplugged_is_waited_for_and_may_come_back_as_another(system: System, path: Path) -> None:
    system.plug(2, "yuyv 64 48 frames=5 torn=2")
    command = [
        *(sys.executable, "-c", "from depthwise.edge.command import main; main()"),
        *(str(path), "--camera", "2", "--json", "--count", "8", "--every"),
    ]
    with subprocess.Popen(
        command, env=system.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while (system.folder / "video2").exists() and process.poll() is None:
            time.sleep(0.02)
        # Long enough for a look at what is not there.
        time.sleep(1.2)
        system.plug(2, "nv12 96 64")
        out, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["summary"]["frames"] == 8
    assert said.splitlines()[0] == "camera 2: 64 x 48"
    assert said.splitlines()[1:3] == [
        "1 damaged pictures were left out",
        "camera 2: went away, waiting for it",
    ]
    assert said.splitlines()[-1] == "camera 2: 96 x 64"
    # However long it is away, that is said once.
    assert len(said.splitlines()) <= 5


class Opened(Exception):
    """The fake of PyAV was asked to open something."""


def asked(monkeypatch: pytest.MonkeyPatch, form: str, name: str, size: tuple[int, int] | None = None) -> dict[str, Any]:
    """What a system whose cameras ffmpeg has as `form` is asked for; it has two, and a microphone."""
    found: dict[str, Any] = {}

    def opened(device: str, **given: Any) -> None:
        found.update(given, device=device)
        raise Opened

    devices = [
        SimpleNamespace(name="@mic", description="Microphone", media_types=["audio"]),
        SimpleNamespace(name="@inner", description="Inner Camera", media_types=["video"]),
        SimpleNamespace(name="@outer", description="Outer Camera", media_types=["video", "audio"]),
    ]
    errors = SimpleNamespace(FFmpegError=OSError)
    av = SimpleNamespace(open=opened, enumerate_input_devices=lambda form: devices, error=errors)
    monkeypatch.setattr(camera, "_INPUTS", {sys.platform: form})
    with pytest.raises(Opened):
        Camera(name=name, size=size)._open(av)
    return found


def test_each_system_is_asked_for_its_cameras_by_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    mac = asked(monkeypatch, "avfoundation", "0", (640, 480))
    assert (mac["format"], mac["device"]) == ("avfoundation", "0")
    # Its own choice is 29.97 frames a second, which most cameras of Macs do not have.
    assert mac["container_options"].items() >= {"framerate": "30", "video_size": "640x480"}.items()
    assert asked(monkeypatch, "dshow", "1")["device"] == "video=@outer"
    assert asked(monkeypatch, "dshow", "Inner Camera")["device"] == "video=Inner Camera"
    assert asked(monkeypatch, "dshow", "video=Inner Camera")["device"] == "video=Inner Camera"
    with pytest.raises(
        Refused, match=r"camera 2: there is none of this number; there are @inner \(Inner Camera\), @out"
    ):
        asked(monkeypatch, "dshow", "2")
