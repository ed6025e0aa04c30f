"""An artifact's functions, as depthwise.h declares them, called through ctypes."""

from __future__ import annotations

import _ctypes
import ctypes
import sys
from ctypes import POINTER, c_char_p, c_float, c_int32, c_int64, c_size_t, c_uint32, c_void_p

from depthwise.edge.private_copy import NoCopy, PrivateCopy
from depthwise.errors import Refused, Unmet
from depthwise.limits import LONGEST_SIDE

TYPE_CHECKING = False  # without `typing`, as edge/__init__.py says
if TYPE_CHECKING:
    from typing import Any

# Result and arguments of every function of depthwise.h. Buffers are addresses, as numpy's `ctypes.data` gives them.
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "dw_interface": (c_uint32, ()),
    "dw_processor": (c_int32, ()),
    "dw_set_threads": (c_int32, (c_int32,)),
    "dw_level_count": (c_int32, ()),
    "dw_level": (c_char_p, (c_int32,)),
    "dw_level_in_use": (c_int32, ()),
    "dw_use_level": (c_int32, (c_int32,)),
    "dw_record": (c_char_p, ()),
    "dw_input_height": (c_int32, ()),
    "dw_input_width": (c_int32, ()),
    "dw_input_channels": (c_int32, ()),
    "dw_label_count": (c_int32, ()),
    "dw_label": (c_char_p, (c_int32,)),
    "dw_feature_count": (c_int32, ()),
    "dw_arena_bytes": (c_size_t, ()),
    "dw_run": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "dw_classify": (c_int32, (c_void_p, c_int32, c_int32, c_int64, c_void_p, c_void_p)),
    "dw_prepare": (c_int32, (c_void_p, c_int32, c_int32, c_int64, c_void_p, c_void_p)),
    "dw_features": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "dw_verify": (c_int32, (POINTER(c_float), c_void_p)),
    "dw_classify_yuv": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "dw_prepare_yuv": (c_int32, (c_void_p, c_void_p, c_void_p)),
}
# Artifacts of interface 1.0 lack all of these, of 1.1 all but the first, of 1.2 the last two.
_LATER = (
    "dw_processor",
    "dw_set_threads",
    "dw_level_count",
    "dw_level",
    "dw_level_in_use",
    "dw_use_level",
    "dw_classify_yuv",
    "dw_prepare_yuv",
)
_GOLDEN_DIFFERS = 4
# That the GPU of an artifact is missing, or failed.
_OF_GPUS = (9, 10)
_STATUS = {
    1: "was given no buffer",
    2: f"cannot take a frame of this size; each side must be from 1 to {LONGEST_SIDE:,} pixels, or to"
    " fewer where it was compiled with --longest-side",
    3: "was given an arena that does not begin at a multiple of 64 bytes",
    _GOLDEN_DIFFERS: "gives an answer that differs from the one it carries; write it again with `depthwise compile`",
    5: "needs instructions that this processor lacks; compile the model on this machine, or with a lower --cpu",
    6: "was asked for a level of instructions that it does not carry",
    7: "was left out when it was compiled (--leave-out prepare); compile the model with it to label pictures",
    8: "was given a frame whose samples lie in a way that it does not know",
    9: "needs an NVIDIA GPU of compute capability 6.1 or later with its driver (libcuda.so.1, of CUDA 11.4 or later),"
    " and this machine shows none; compile the model with --target host",
    10: "was not carried out by the GPU: its memory is full, or this process was forked from one that had opened the"
    " artifact; end what else uses the GPU, or open the artifact in each process",
}


class Library:
    """A shared library that is loaded until it is closed."""

    def __init__(self, copy: PrivateCopy, name: str) -> None:
        """Load a copy of a library, which it then owns; `name` is the file that messages speak of.

        Raises: Refused, when this machine cannot load them or a function is missing.
        """
        self.name = name
        self._copy = copy
        self._library = _loaded(copy, name)
        try:
            self._functions = {
                key: self._declared(key) for key in FUNCTIONS if key not in _LATER or hasattr(self._library, key)
            }
        except Refused:
            self.close()
            raise

    def _declared(self, key: str) -> Any:
        try:
            function = self._library[key]
        except AttributeError:
            raise Refused(f"{self.name}: lacks the function {key}; write it again with `depthwise compile`") from None
        function.restype, function.argtypes = FUNCTIONS[key]
        return function

    def get(self, key: str, *arguments: int) -> Any:
        """What a function that cannot fail returns."""
        return self._functions[key](*arguments)

    def text(self, key: str, *arguments: int) -> str:
        """The text that a function returns.

        Raises: Refused, when it is null or not UTF-8.
        """
        found = self._functions[key](*arguments)
        try:
            return str(found.decode())
        except (AttributeError, UnicodeDecodeError):
            raise Refused(f"{self.name}: {key} gives no text; write it again with `depthwise compile`") from None

    def call(self, key: str, *arguments: Any) -> None:
        """Call a function that returns a status.

        Raises: Refused, saying what the status means, or when an older artifact lacks it; Unmet, when a golden case
            differs.
        """
        if key not in self._functions:
            raise Refused(f"{self.name}: is of an older version without {key}; write it again with `depthwise compile`")
        self._check(key, self._functions[key](*arguments))

    def call_each(self, key: str, first: int, size: int, out: int, row: int, count: int, arena: int) -> None:
        """Call a function of an input, an output and the arena `count` times, `size` and `row` bytes further each time.

        Raises: Refused, as `call` does.
        """
        function = self._functions[key]
        for index in range(count):
            status = function(first + index * size, out + index * row, arena)
            if status:
                self._check(key, status)

    def _check(self, key: str, status: int) -> None:
        if status != 0:
            meaning = _STATUS.get(status, f"returns the unknown status {status}")
            raise (Unmet if status == _GOLDEN_DIFFERS else Refused)(f"{self.name}: {key} {meaning}")

    def check_processor(self) -> None:
        """Raises: Refused, when the library says that this processor, or a GPU, lacks what it was built for."""
        status = self.get("dw_processor") if "dw_processor" in self._functions else 0
        if status in _OF_GPUS:
            raise Refused(f"{self.name}: {_STATUS[status]}")
        if status != 0:
            raise Refused(
                f"{self.name}: was built for a processor with instructions that this one lacks;"
                " compile the model on this machine, or with a lower --cpu"
            )

    def set_threads(self, threads: int) -> None:
        """Let calls run on so many threads.

        Raises: Refused, when they cannot.
        """
        found = self.get("dw_set_threads", threads) if "dw_set_threads" in self._functions else 1
        if found != threads:
            most = "1 thread" if found == 1 else f"{found} threads"
            raise Refused(
                f"{self.name}: can run on {most}, not on {threads}; take {found}, or compile the model with"
                f" --threads {threads}"
            )

    def levels(self) -> tuple[str, ...]:
        """The levels of instructions that it carries, from the lowest to the highest; none that it knows before 1.2."""
        if not {"dw_level_count", "dw_level", "dw_level_in_use", "dw_use_level"} <= self._functions.keys():
            return ()
        return tuple(self.text("dw_level", index) for index in range(self.get("dw_level_count")))

    def use_level(self, name: str) -> None:
        """Use a level from now on.

        Raises: Refused, when the library carries none of this name, or this processor lacks what it needs.
        """
        if not self.try_level(name):
            raise Refused(f"{self.name}: this processor lacks instructions of level {name!r}; choose a lower one")

    def try_level(self, name: str) -> bool:
        """Use a level from now on; False, and nothing changes, where this processor lacks what it needs.

        Raises: Refused, when the library carries none of this name.
        """
        levels = self.levels()
        if name not in levels:
            carried = f"carries {', '.join(levels)}" if levels else "is of a version that has no levels to choose"
            raise Refused(f"{self.name}: has no level {name!r}; it {carried}")
        return bool(self.get("dw_use_level", levels.index(name)) == 0)

    def close(self) -> None:
        """Give the library back to the system, which ends its threads; no function of it may be running."""
        if sys.platform == "win32":
            # Nobody may wait for threads while the system unloads a library.
            if "dw_set_threads" in self._functions:
                self.get("dw_set_threads", 1)
            _ctypes.FreeLibrary(self._library._handle)
        else:
            _ctypes.dlclose(self._library._handle)
        self._copy.close()


def _loaded(copy: PrivateCopy, name: str) -> ctypes.CDLL:
    """The library.

    Raises: Refused, when this machine cannot load it, neither from memory nor from a folder.
    """
    reason = ""
    try:
        for path in copy.paths():
            try:
                library = ctypes.CDLL(path)
            except OSError as problem:
                from depthwise.edge.foreign import foreign

                kind = foreign(path)
                reason = f"it is for {kind}" if kind else str(problem).replace(path, "")
            else:
                copy.release_path()
                return library
    except NoCopy as problem:
        copy.close()
        raise Refused(f"{name}: cannot be loaded from memory ({reason.strip(' :')}), and {problem}") from None
    copy.close()
    raise Refused(
        f"{name}: cannot be loaded on this machine ({reason.strip(' :')}); compile the model with --target host"
    )
