"""An artifact, opened: pixels in, probabilities out.

numpy is loaded with the first array that is asked for: to start without it takes half of the time to a first label.
"""

from __future__ import annotations

import ctypes
import os
import sys
import weakref
from _thread import allocate_lock

from depthwise.edge.library import Library
from depthwise.edge.trailer import INTERFACE_MAJOR, checked_copy
from depthwise.errors import Refused, Unmet
from depthwise.limits import LONGEST_SIDE

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from depthwise.edge.frames import Frame

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float32]

# What no network of ours reaches; numbers beyond are taken for damage and not allocated.
_MOST_LABELS = 1_000_000
_LARGEST_ARENA = 1 << 34
_ALIGNMENT = 64
# Libraries of all that are open.
_OPEN: dict[weakref.ref[Artifact], Library] = {}


class Artifact:
    """One network with its weights, labels and preprocessing, in this process.

    Several threads may share it; one call runs at a time. For calls at the same time open the artifact once a thread.
    A call itself may run on several threads; a process that is forked has none of them and runs on one.

        with Artifact.open("model.so") as artifact:
            probabilities = artifact.classify(decode("photo.jpg"))
            print(artifact.labels[probabilities.argmax()])

    Attributes:
        name: path of the file.
        labels: in the order of the probabilities.
        levels: of instructions that it carries, from the lowest to the highest; of interface 1.1 and before, none.
        input_shape: (height, width, channels) of prepared pixels.
        feature_count: length of the pooled features.
        arena_bytes: working memory.
    """

    def __init__(self, library: Library) -> None:
        """Of an open library, which it then owns; use `Artifact.open`."""
        self.name = library.name
        self._lock = allocate_lock()
        self._library: Library | None = library
        size = library.get
        self.input_shape: tuple[int, int, int] = (
            size("dw_input_height"),
            size("dw_input_width"),
            size("dw_input_channels"),
        )
        self.feature_count: int = size("dw_feature_count")
        self.arena_bytes: int = size("dw_arena_bytes")
        count: int = size("dw_label_count")
        _check_sizes(self.name, self.input_shape, count, self.feature_count, self.arena_bytes)
        self.labels = tuple(library.text("dw_label", index) for index in range(count))
        self._record = library.text("dw_record")
        self._read_record: dict[str, Any] | None = None
        self.levels = library.levels()
        self._memory = ctypes.create_string_buffer(self.arena_bytes + _ALIGNMENT)
        start = ctypes.addressof(self._memory)
        self._arena = start + -start % _ALIGNMENT
        self._reference = weakref.ref(self, _let_go)
        _OPEN[self._reference] = library

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, threads: int = 1, cpu: str | None = None, sha256: str | None = None
    ) -> Self:
        """Check a file, then load it. It is a program, which runs with the rights of this process.

        Args:
            threads: how many a call runs on, up to what the artifact was compiled for. Answers do not depend on it.
            cpu: the level of instructions to use, by name; without it the highest that this processor has.
            sha256: of the file that is meant, in hexadecimal digits; another one is not loaded.
        Raises: Refused, when there is no such file, it is not the one that is meant, no artifact, damaged, or for
            another machine, another processor, another version or fewer threads; nothing of it has run then, except
            where its own functions say so.
        """
        copy, minor = checked_copy(path, sha256)
        library = Library(copy, os.fspath(path))
        try:
            interface = library.get("dw_interface")
            if interface != INTERFACE_MAJOR << 16 | minor:
                raise Refused(
                    f"{library.name}: says interface {interface >> 16}.{interface & 0xFFFF} and its trailer"
                    f" {INTERFACE_MAJOR}.{minor}; write it again with `depthwise compile`"
                )
            library.check_processor()
            if threads != 1:
                library.set_threads(threads)
            if cpu is not None:
                library.use_level(cpu)
            return cls(library)
        except BaseException:
            library.close()
            raise

    @property
    def record(self) -> dict[str, Any]:
        """The artifact's description of itself: network, preprocessing, cost, provenance, accuracy (docs/artifact.md).

        Raises: Refused, when it is not readable.
        """
        if self._read_record is None:
            import json

            try:
                record = json.loads(self._record)
            except ValueError:
                record = None
            if not isinstance(record, dict):
                raise Refused(f"{self.name}: has no readable record; write it again with `depthwise compile`")
            self._read_record = record
        return self._read_record

    def run(self, pixels: Pixels) -> Floats:
        """Probabilities (labels,) of prepared pixels (height, width, channels)."""
        return self._of_pixels("dw_run", pixels, len(self.labels))

    def run_all(self, pixels: Pixels) -> Floats:
        """Probabilities (N, labels) of prepared pixels (N, height, width, channels), one image after the other.

        What `run` gives for each, with a tenth of the time between two of them.
        """
        import numpy as np

        if pixels.dtype != np.uint8 or pixels.shape[1:] != self.input_shape:
            raise Refused(
                f"{self.name}: takes uint8 pixels of shape (images, *{self.input_shape}), not {pixels.dtype} of"
                f" {pixels.shape}; prepare them with `edge.pixels.prepare`"
            )
        pixels = np.ascontiguousarray(pixels)
        out = np.empty((len(pixels), len(self.labels)), dtype=np.float32)
        first, size, row = pixels.ctypes.data, pixels[:1].nbytes, out[:1].nbytes
        with self._lock:
            self._open().call_each("dw_run", first, size, out.ctypes.data, row, len(pixels), self._arena)
        return out

    def features(self, pixels: Pixels) -> Floats:
        """Pooled features (feature_count,) of prepared pixels (height, width, channels)."""
        return self._of_pixels("dw_features", pixels, self.feature_count)

    def classify(self, frame: Pixels) -> Floats:
        """Probabilities (labels,) of a frame (H, W, channels) of any size, as `edge.pixels.decode` gives it."""
        import numpy as np

        out = np.empty(len(self.labels), dtype=np.float32)
        self._of_frame("dw_classify", frame, out)
        return out

    def label(self, image: Any) -> list[float]:
        """What `classify` gives, without numpy.

        Args:
            image: the path or the bytes of an image file, or an image of Pillow as `edge.decoding.picture` gives it;
                `edge.seeing.seen` takes arrays and frames of cameras, too.
        Raises: Refused, when it cannot be read, or is an image of other channels than the network takes.
        """
        channels = self.input_shape[2]
        picture: Image = image if hasattr(image, "getbands") else self._decoded(image, channels)
        if picture.mode != {1: "L", 3: "RGB"}[channels]:
            raise Refused(f"{self.name}: takes pictures of {channels} channels, not of mode {picture.mode}")
        self._check_frame(picture.height, picture.width)
        out = (ctypes.c_float * len(self.labels))()
        size = (picture.height, picture.width, picture.width * channels)
        self._call("dw_classify", picture.tobytes(), *size, out)
        return list(out)

    def _decoded(self, source: Any, channels: int) -> Image:
        from depthwise.edge.decoding import picture

        if not isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) and not hasattr(source, "read"):
            raise Refused(
                f"{self.name}: labels an image of Pillow, or the path or the bytes of a file, not what is of type"
                f" {type(source).__name__}; edge.seeing.seen takes arrays and frames"
            )
        return picture(source, channels)

    def see(self, frame: Frame) -> list[float]:
        """What `classify` gives, of a frame as cameras and decoders give it (`edge.frames`), without numpy."""
        pixels = self.pixels()
        self.prepare_frame(frame, pixels)
        return self.run_prepared(pixels)

    def pixels(self) -> ctypes.Array[ctypes.c_uint8]:
        """Memory for prepared pixels, for the next two."""
        height, width, channels = self.input_shape
        return (ctypes.c_uint8 * (height * width * channels))()

    def prepare_frame(self, frame: Frame, pixels: ctypes.Array[ctypes.c_uint8]) -> None:
        """The first half of `see`: a frame to the pixels that the network takes.

        YUV, and grey frames for a network of three channels, are converted in C, row by row.
        """
        from depthwise.edge.frames import plain

        of, channels = frame.layout, self.input_shape[2]
        if of.starts or (of.channels == 1 and channels == 3):
            self._call("dw_prepare_yuv", ctypes.byref(frame.yuv()), pixels)
            return
        frame = plain(frame, channels)
        address, pitch = frame.rgb()
        self._call("dw_prepare", address, frame.height, frame.width, pitch, pixels)

    def run_prepared(self, pixels: ctypes.Array[ctypes.c_uint8]) -> list[float]:
        """The second half: probabilities, one a label, of pixels that `prepare_frame` wrote."""
        out = (ctypes.c_float * len(self.labels))()
        self._call("dw_run", pixels, out)
        return list(out)

    def prepare(self, frame: Pixels) -> Pixels:
        """The prepared pixels that `classify` gives to the network, for those who want to look."""
        import numpy as np

        out = np.empty(self.input_shape, dtype=np.uint8)
        self._of_frame("dw_prepare", frame, out)
        return out

    def verify(self) -> float:
        """Run the golden cases; the largest difference between an answer and the one that it carries.

        Raises: Unmet, when one differs by more than rounding.
        """
        worst = ctypes.c_float(0.0)
        try:
            self._call("dw_verify", ctypes.byref(worst))
        except Unmet as difference:
            raise Unmet(f"{difference} (the largest difference is {worst.value:.3g})") from None
        return worst.value

    def verify_levels(self) -> dict[str, float]:
        """`verify` at every level that this processor has; the largest difference of each. The level stays what it is.

        No other thread should use the artifact meanwhile: its calls would run at those levels.

        Raises: Unmet, naming the level, when an answer differs by more than rounding.
        """
        if not self.levels:
            return {"": self.verify()}
        before, worst = self.level, {}
        try:
            for level in filter(self.use_level, self.levels):
                try:
                    worst[level] = self.verify()
                except Unmet as difference:
                    raise Unmet(f"{difference}, at level {level}") from None
        finally:
            self.use_level(before)
        return worst

    @property
    def level(self) -> str:
        """The level of instructions in use; empty where it carries none that it knows.

        Raises: Refused, when the library says another than it carries.
        """
        with self._lock:
            library = self._open()
            if not self.levels:
                return ""
            place = int(library.get("dw_level_in_use"))
            if not 0 <= place < len(self.levels):
                raise Refused(
                    f"{self.name}: says that level {place} of {len(self.levels)} is in use; write it again with"
                    " `depthwise compile`"
                )
            return str(self.levels[place])

    def use_level(self, name: str) -> bool:
        """Use another level that it carries from now on; False, and nothing changes, where this processor lacks it.

        Raises: Refused, when it carries none of this name.
        """
        with self._lock:
            return self._open().try_level(name)

    def close(self) -> None:
        """Give the library and its memory back; waits for a call that is running."""
        with self._lock:
            if self._library is not None:
                _OPEN.pop(self._reference, None)
                self._library.close()
                self._library = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _of_pixels(self, key: str, pixels: Pixels, length: int) -> Floats:
        import numpy as np

        if pixels.dtype != np.uint8 or pixels.shape != self.input_shape:
            raise Refused(
                f"{self.name}: takes uint8 pixels of shape {self.input_shape}, not {pixels.dtype} of {pixels.shape};"
                " prepare them with `edge.pixels.prepare`, or give the frame to `classify`"
            )
        pixels = np.ascontiguousarray(pixels)
        out = np.empty(length, dtype=np.float32)
        self._call(key, pixels.ctypes.data, out.ctypes.data)
        return out

    def _of_frame(self, key: str, frame: Pixels, out: Pixels | Floats) -> None:
        import numpy as np

        channels = self.input_shape[2]
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != channels or frame.size == 0:
            raise Refused(
                f"{self.name}: takes uint8 frames of shape (height, width, {channels}), not {frame.dtype} of"
                f" {frame.shape}; read them with `edge.pixels.decode`"
            )
        height, width = frame.shape[:2]
        self._check_frame(height, width)
        frame = np.ascontiguousarray(frame)
        self._call(key, frame.ctypes.data, height, width, width * channels, out.ctypes.data)

    def _check_frame(self, height: int, width: int) -> None:
        if not 1 <= min(height, width) <= max(height, width) <= LONGEST_SIDE:
            raise Refused(
                f"{self.name}: takes frames of 1 to {LONGEST_SIDE:,} pixels a side, not {height:,} x {width:,}"
            )

    def _call(self, key: str, *arguments: Any) -> None:
        with self._lock:
            self._open().call(key, *arguments, self._arena)

    def _open(self) -> Library:
        if self._library is None:
            raise Refused(f"{self.name}: is closed; open it again")
        return self._library


def _let_go(reference: weakref.ref[Artifact]) -> None:
    """One that was dropped and not closed gives its memory and its file back as well."""
    library = _OPEN.pop(reference, None)
    if library is not None and not sys.is_finalizing():
        library.close()


def _unlock() -> None:
    """In a process that was forked while another thread was in a call, that call never ends."""
    for reference in _OPEN:
        if (artifact := reference()) is not None:
            artifact._lock = allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def _check_sizes(name: str, shape: tuple[int, int, int], labels: int, features: int, arena: int) -> None:
    sound = (
        all(1 <= side <= LONGEST_SIDE for side in shape[:2])
        and shape[2] in (1, 3)
        and 1 <= labels <= _MOST_LABELS
        and 1 <= features <= _MOST_LABELS
        and arena <= _LARGEST_ARENA
    )
    if not sound:
        raise Refused(
            f"{name}: says input {shape}, {labels} labels, {features} features and an arena of {arena} bytes, which no"
            " network has; write it again with `depthwise compile`"
        )
