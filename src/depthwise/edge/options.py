"""What `depthwise run` and `depthwise-run` are told: what their help says, and which paths are none."""

from __future__ import annotations

import re

from depthwise.errors import Refused

TOP = "Labels shown of each image."
THREADS = "Threads that a call runs on: as many as there are free cores. More gain nothing; the answer is the same."
CPU = "A level of instructions that the ARTIFACT carries, not the highest."
SHA256 = "SHA-256 of the ARTIFACT that is meant; another file is not run."
MOST_PIXELS = "Pixels of an image that are decoded at most, for a device of little memory; each takes 10 bytes."
JSON = "Print one JSON document instead of text."
CSV = "Print one line an answer, with commas between, instead of text."

# Of frames that come: name, how its value is called ("" for a switch), its type, and what help says.
LIVE: tuple[tuple[str, str, type, str], ...] = (
    ("camera", "N", str, "Label what a camera sees, by its number or path; needs PyAV."),
    ("video", "FILE", str, "Label the frames of a video file; needs PyAV."),
    ("frames", "-", str, "Label frames on standard input: Y4M, or with --size and --layout frames without headers."),
    ("watch", "FOLDER", str, "Label pictures that are put into a folder from now on."),
    ("size", "WxH", str, "Width and height of frames without headers, or that a camera is asked for."),
    (
        "layout",
        "NAME",
        str,
        "Of frames without headers: rgb, bgr, grey, yuv420, nv12, yuyv and others.  [default: rgb]",
    ),
    ("stride", "BYTES", str, "Bytes from row to row of frames without headers, where rows are padded."),
    ("full-range", "", bool, "Black is 0 and white 255 in frames in YUV without headers, not 16 and 235."),
    ("turn", "DEGREES", int, "Turn frames clockwise by 90, 180 or 270 until they stand upright."),
    ("smooth", "SECONDS", float, "Average labels over so many seconds; 0 for none.  [default: 0.5]"),
    ("unknown", "P", float, 'Say "unknown" below this probability, not below the one that the ARTIFACT carries.'),
    ("every", "", bool, "Label every frame of a camera or a pipe: it waits, instead of dropping frames."),
    ("pace", "", bool, "Play a video at its own speed, and drop frames where labels take longer."),
    ("count", "N", int, "End after so many frames."),
    ("save", "FOLDER", str, "Save pictures of frames with a new label, at most one a second."),
    ("when", "LABEL", str, "Save those with this label."),
    ("window", "", bool, "Show the picture and its label in a window."),
)

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def path(text: str) -> str:
    """A path on this machine, as it is.

    Raises: Refused, when it is an address in a network, since nothing is fetched.
    """
    if _ADDRESS.match(text):
        from shlex import quote

        raise Refused(
            f"{text}: is an address, and depthwise opens no connection; fetch it first, with"
            f" `curl -O {quote(text)}`, then give the file"
        )
    return text
