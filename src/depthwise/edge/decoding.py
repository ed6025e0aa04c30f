"""Image files to pixels, alike in training, in evaluation and on a device; docs/preprocessing.md says how.

numpy is loaded only where it is used: a command that labels one photo spends most of its time on starting.
"""

from __future__ import annotations

import abc
import io
import logging
import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from depthwise.edge import heif
from depthwise.edge.suffixes import FORMATS as BY_SUFFIX
from depthwise.edge.suffixes import SUFFIXES as SUFFIXES
from depthwise.errors import Refused
from depthwise.limits import LONGEST_SIDE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

    Pixels = NDArray[np.uint8]
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]


class Held(abc.ABC):
    """Beside a path: that of a file whose bytes lie within another one, as in a tar."""

    __slots__ = ()

    @abc.abstractmethod
    def held(self) -> bytes:
        """The bytes.

        Raises: OSError, when they cannot be read.
        """


FORMATS = tuple(dict.fromkeys(BY_SUFFIX.values()))
# Memory that an image may take while it is decoded, and what a pixel of a format takes at most: Pillow's four bytes,
# what the format's library keeps beside them (of a progressive JPEG all coefficients, of WebP a whole picture more),
# and a copy that is turned upright or converted.
MOST_BYTES = 960_000_000
_BYTES_A_PIXEL = {"WEBP": 16, "AVIF": 16, heif.FORMAT: 16}
_BYTES_OF_OTHERS, _BYTES_OF_CMYK = 10, 14
MOST_PIXELS = MOST_BYTES // _BYTES_OF_OTHERS

_STRIP = 1 << 20  # pixels
_ORIENTATION = 0x0112  # EXIF tag
# What undoes each value of it.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Without a handler, what Pillow logs about a broken file would reach the terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def decode(source: Source, channels: int = 3, admit: Callable[[int], None] | None = None) -> Pixels:
    """The first frame of an image file, upright.

    Args:
        source: a path, the bytes of a file, or a binary file open for reading at its start.
        channels: 3 for RGB, 1 for grey (luma of ITU-R BT.601).
        admit: told, before it is done, how many bytes of memory decoding takes at most; it may wait.

    Returns: (H, W, channels). EXIF orientation is applied, transparency lies on white, 16 bits keep their upper 8.
    Raises: Refused, when there is no such file, or it is not an image, is damaged or would take
        more than 960 MB of memory: 96 million pixels, of WebP and AVIF 60 million, of CMYK 68 million.
    """
    import numpy as np

    image = picture(source, channels, admit)
    pixels = np.empty((image.height, image.width, channels), dtype=np.uint8)
    for top, bottom in _strips(image):
        strip = image.crop((0, top, image.width, bottom))
        pixels[top:bottom] = np.asarray(strip).reshape(-1, image.width, channels)
    return pixels


def picture(
    source: Source,
    channels: int = 3,
    admit: Callable[[int], None] | None = None,
    *,
    least: int | None = None,
    most: int | None = None,
) -> Image.Image:
    """The same as an image of Pillow, of mode RGB or L.

    Args:
        most: pixels that are decoded, where that is less than what 960 MB of memory allow.
        least: take a JPEG at the smallest of 1, 1/2, 1/4 and 1/8 of its size whose sides are no shorter, which is
            quicker, and gives other pixels: for looking at a picture, or where a label may differ now and then.
    """
    if channels not in (1, 3):
        raise Refused(f"channels is {channels!r}; an image is decoded to 1 (grey) or 3 (RGB)")
    name = _name(source)
    with _readable(source, name) as file, _PILLOW_IS_QUIET, _pillow(name), _open(file, name) as image:
        needed = _check_size(name, image, most)
        if least is not None:
            image.draft(None, (least, least))
        if admit is not None:
            admit(needed)
        image.load()
        # A TIFF turns itself when it is loaded, and then no longer has the tag.
        orientation = _orientation(image)
        pixels = _converted(name, image, "L" if channels == 1 else "RGB")
        return pixels if orientation == 1 else pixels.transpose(_UPRIGHT[orientation])


def _name(source: Source) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return f"image of {len(source):,} bytes"
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "image"


@contextmanager
def _readable(source: Source, name: str) -> Iterator[str | IO[bytes]]:
    """The path of a file, or an open file.

    Raises: Refused, when there is nothing to read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        if len(source) == 0:
            raise Refused(f"{name}: is empty; give the bytes of an image file")
        yield io.BytesIO(source)
    elif isinstance(source, Held):
        try:
            content = source.held()
        except OSError as problem:
            raise _unreadable(name, problem) from None
        if not content:
            raise Refused(f"{name}: is empty; copy it again or leave it out")
        yield io.BytesIO(content)
    elif isinstance(source, str | os.PathLike):
        try:
            _check_file(name, os.stat(name))
        except (OSError, ValueError) as problem:
            raise _unreadable(name, problem) from None
        yield name
    else:
        yield source


def _open(file: str | IO[bytes], name: str) -> Image.Image:
    """Without reading its pixels. By a file's name Pillow knows which of its decoders to load, so that one is tried
    first."""
    suffix = os.path.splitext(file)[1].lower() if isinstance(file, str) else ""
    likely = BY_SUFFIX.get(suffix, FORMATS[0])
    try:
        try:
            image = Image.open(file, formats=(likely, *(other for other in FORMATS if other != likely)))
        except UnidentifiedImageError:
            if not heif.is_heif(file):
                raise
            image = _open_heif(file, name)
    except OSError as problem:
        if problem.errno is None:  # what Pillow says of what it read
            raise
        raise _unreadable(name, problem) from None
    # Or Pillow may map raw pixels from the file, which can change later.
    image.filename = ""
    return image


def _open_heif(file: str | IO[bytes], name: str) -> ImageFile:
    if not heif.is_installed():
        raise Refused(f"{name}: is a HEIC photo, for which pillow-heif is not installed; {heif.ADVICE}")
    heif.register()
    return Image.open(file, formats=(heif.FORMAT,))


def _unreadable(name: str, problem: Exception) -> Refused:
    return Refused(f"{name}: cannot be read ({_reason(problem)}); give the path of an image")


def _check_file(name: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Refused(f"{name}: is a folder; give an image file")
    # Opening a pipe would wait for a writer, perhaps for ever.
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{name}: is not a regular file; give an image file, or `-` for standard input")
    if status.st_size == 0:
        raise Refused(f"{name}: is empty; copy it again or leave it out")


def _check_size(name: str, image: Image.Image, allowed: int | None) -> int:
    """The bytes of memory that it takes at most while it is decoded.

    Raises: Refused, when that is too much.
    """
    (width, height), of_pixel = image.size, _BYTES_A_PIXEL.get(image.format or "", _BYTES_OF_OTHERS)
    if image.mode == "CMYK":
        of_pixel = _BYTES_OF_CMYK
    most = min(MOST_BYTES // of_pixel, MOST_PIXELS if allowed is None else allowed)
    if width * height > most:
        named = f"{most // 10**6} million" if most >= 10**6 else f"{most:,}"
        raise Refused(f"{name}: has {width:,} x {height:,} pixels, more than {named}; make it smaller")
    if not 1 <= min(width, height) <= max(width, height) <= LONGEST_SIDE:
        raise Refused(f"{name}: has {width:,} x {height:,} pixels; each side must be from 1 to {LONGEST_SIDE:,}")
    return width * height * of_pixel


@contextmanager
def _pillow(name: str) -> Iterator[None]:
    """Turns what Pillow raises about a file into a refusal; a broken file can make it raise nearly anything."""
    try:
        yield
    except Refused:
        raise
    except UnidentifiedImageError:
        kinds = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise Refused(f"{name}: is damaged, or no image of a kind that is read; give a sound {kinds} file") from None
    except Image.DecompressionBombError:
        raise Refused(f"{name}: has more than {MOST_PIXELS // 10**6} million pixels; make it smaller") from None
    except Exception as problem:
        raise Refused(f"{name}: cannot be decoded ({_reason(problem)}); copy it again or leave it out") from None


def _reason(problem: Exception) -> str:
    text = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return " ".join(str(text).split())


class _Quiet:
    """Ignores Pillow's warnings while a thread is inside.

    `warnings.catch_warnings` alone would mix up the filters when threads leave in another order than they came.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._catcher = warnings.catch_warnings()
                self._catcher.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._catcher.__exit__(None, None, None)


_PILLOW_IS_QUIET = _Quiet()


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:  # damaged EXIF says nothing; the pixels are sound
        return 1
    return value if isinstance(value, int) and 2 <= value <= 8 else 1


def _converted(name: str, image: Image.Image, mode: str) -> Image.Image:
    """The image in a mode, strip by strip where that takes more than one step."""
    if image.mode == mode and not image.has_transparency_data:
        return image
    pixels = Image.new(mode, image.size)
    for top, bottom in _strips(image):
        strip = image.crop((0, top, image.width, bottom))
        pixels.paste(_flat(name, strip).convert(mode), (0, top))
    return pixels


def _strips(image: Image.Image) -> Iterator[tuple[int, int]]:
    """Where strips begin and end that are copied one by one, so that no second copy of a large image is made."""
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        yield top, min(top + rows, image.height)


def _flat(name: str, strip: Image.Image) -> Image.Image:
    """The strip without transparency, 8 bits a channel."""
    if strip.mode == "I" or strip.mode.startswith("I;16"):
        import numpy as np

        values = np.asarray(strip)
        if values.min() < 0 or values.max() > 65_535:
            raise Refused(f"{name}: has grey values beyond 16 bits; save it with 8 or 16 bits a pixel")
        # The upper byte, as Pillow itself does with 16-bit colour.
        return Image.fromarray((values >> 8).astype(np.uint8))
    if strip.mode == "F":
        raise Refused(f"{name}: has floating-point pixels, whose range is unknown; save it with 8 or 16 bits a pixel")
    if not strip.has_transparency_data:
        return strip
    clear = strip.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
