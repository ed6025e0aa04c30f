"""Published weights by name: `keras/0.25-128`, `timm/<repository>`, and the best ones for a width and resolution.

What is fetched stays in a cache, with the checksum of the first time beside it; what no longer has it is refused. Keras
publishes no checksums of its files, so there are none to compare the first time with.
"""

from __future__ import annotations

import re
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from depthwise.cache import cache_folder
from depthwise.errors import Refused
from depthwise.files import read_file, write_file
from depthwise.interop.keras import format as keras
from depthwise.interop.kinds import CHECKSUM, KERAS
from depthwise.interop.pytorch import format as timm
from depthwise.interop.pytorch.timm_config import CONFIG
from depthwise.interop.source import LARGEST_FILE, NOTHING, Given, content, digest
from depthwise.network.model import Model

# Where keras.applications.MobileNet takes its weights from.
KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/"
# How Keras writes the widths in the names of its files.
KERAS_WIDTHS = {"0.25": "2_5", "0.5": "5_0", "0.75": "7_5", "1.0": "1_0"}
KERAS_RESOLUTIONS = (128, 160, 192, 224)
# timm's weights, trained for 3,600 epochs, are better than Keras's of the same width.
TIMM_BEST = {
    1.0: "timm/mobilenetv1_100.ra4_e3600_r224_in1k",
    1.25: "timm/mobilenetv1_125.ra4_e3600_r224_in1k",
}
# The commit by which a repository of the hub is fetched, where it is known: nobody can then change what comes.
REVISIONS = {TIMM_BEST[1.0]: "dda9ab42e23f3061aa191630817df76e8fe9cace"}
_KERAS_NAME = re.compile(r"keras/(0\.25|0\.50?|0\.75|1(?:\.0)?)-(\d{3})(-no-top)?")
_TIMM_NAME = re.compile(r"timm/[\w.-]{1,96}")
SECONDS = 30
LONGEST_CHECKSUM = 1024
# Level of errors in the standard library's logging, which the hub uses.
QUIET = 40


def is_name(text: str) -> bool:
    """Whether this is a name of published weights rather than a path."""
    return text.startswith(("keras/", "timm/")) and not Path(text).exists()


def load(name: str, given: Given = NOTHING) -> Model:
    """The model of published weights, from the cache or fetched.

    Raises: Refused, when there is no such name, it cannot be fetched, or what the cache holds has changed.
    """
    if name.startswith("keras/"):
        return keras.read(_keras_file(name), given, name)
    if not _TIMM_NAME.fullmatch(name):
        raise Refused(f"{name!r} is no repository of timm's; an example is {TIMM_BEST[1.0]}")
    return timm.read(_hub_folder(name), given, name)


def best(width: float, resolution: int) -> str:
    """The name of the best ImageNet weights that are published for a width, nearest to a resolution.

    Raises: Refused, for a width of which there are none.
    """
    if width in TIMM_BEST:
        return TIMM_BEST[width]
    text = f"{width:g}"
    if text not in KERAS_WIDTHS:
        known = ", ".join(f"{w:g}" for w in sorted({*map(float, KERAS_WIDTHS), *TIMM_BEST}))
        raise Refused(f"there are no published ImageNet weights of width {width:g}; there are for {known}")
    return f"keras/{text}-{min(KERAS_RESOLUTIONS, key=lambda size: (abs(size - resolution), -size))}"


def _keras_file(name: str) -> Path:
    match = _KERAS_NAME.fullmatch(name)
    if match is None or int(match[2]) not in KERAS_RESOLUTIONS:
        widths, sizes = ", ".join(KERAS_WIDTHS), ", ".join(map(str, KERAS_RESOLUTIONS))
        raise Refused(f"there is no {name!r}; names are keras/WIDTH-RESOLUTION of widths {widths} and sizes {sizes}")
    width = KERAS_WIDTHS[f"{float(match[1]):g}" if float(match[1]) < 1 else "1.0"]
    file = f"mobilenet_{width}_{match[2]}_tf{'_no_top' if match[3] else ''}.h5"
    path = cache_folder() / "keras" / file
    if not path.is_file():
        write_file(path, _fetched(KERAS_URL + file, name, path), KERAS)
    _check(path, path.with_name(f"{file}.sha256"), name)
    return path


def _fetched(url: str, name: str, path: Path) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            data: bytes = answer.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "reason", problem)
        raise Refused(f"{name} is not in the cache and cannot be fetched ({reason}); {_elsewhere(path)}") from None
    if len(data) > LARGEST_FILE:
        raise Refused(f"{name}: what was fetched is larger than any MobileNet V1; try again later")
    return data


def _elsewhere(*files: Path) -> str:
    """What to do without a network."""
    names = " and ".join(file.name for file in files)
    return (
        f"go online once, or copy {names} from elsewhere to {files[0].parent} (the variable DEPTHWISE_CACHE names"
        f" another place than {cache_folder()}), or give a file that you have"
    )


def _hub_folder(name: str) -> Path:
    """The folder of a repository in our cache, or in the hub's own, where it is fetched to if it is in neither."""
    mirrored = [cache_folder() / name / file for file in (CONFIG, timm.WEIGHTS)]
    if all(file.is_file() for file in mirrored):
        _check(mirrored[1], cache_folder() / f"{name}.sha256", name)
        return mirrored[0].parent
    try:
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
        from huggingface_hub.utils import logging
    except ImportError:
        raise Refused(
            f"{name} needs the package huggingface_hub, which is not installed; run: pip install 'depthwise[interop]'"
        ) from None
    # The refusal below says it in one line.
    logging.set_verbosity(QUIET)
    files, commit = (CONFIG, timm.WEIGHTS), REVISIONS.get(name)
    try:
        try:
            paths = [Path(hf_hub_download(name, file, revision=commit, local_files_only=True)) for file in files]
        except LocalEntryNotFoundError:
            _look_up(constants.ENDPOINT)
            paths = [Path(hf_hub_download(name, file, revision=commit)) for file in files]
    except (HfHubHTTPError, OSError, ValueError) as problem:
        reason = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise Refused(
            f"{name} is not in the cache and cannot be fetched ({reason[:200]}); {_elsewhere(*mirrored)}"
        ) from None
    _check(paths[1], cache_folder() / f"{name}.sha256", name)
    return paths[1].parent


def _look_up(endpoint: str) -> None:
    """Fail at once where there is no network: the hub would try again for half a minute.

    Raises: OSError, when the hub's address is not known.
    """
    if not urllib.request.getproxies():
        socket.getaddrinfo(urlsplit(endpoint).hostname, None)


def _check(path: Path, record: Path, name: str) -> None:
    """Refuse a file that is not what it was when it was first fetched."""
    found = digest(content(path))
    try:
        known = read_file(record, LONGEST_CHECKSUM).decode("ascii").strip()
    except FileNotFoundError:
        write_file(record, f"{found}\n".encode(), CHECKSUM)
        return
    except (OSError, ValueError):
        known = "unreadable"
    if known != found:
        raise Refused(
            f"{name}: {path} has checksum {found[:12]} where {record} says {known[:12]}; if the change is meant,"
            " remove both and run again"
        )
