"""What `depthwise run` and `depthwise-run` are told: what their help says, and which paths are none."""

from __future__ import annotations

import re

from depthwise.errors import Refused

TOP = "Labels shown of each image."
THREADS = "Threads that a call runs on: as many as there are free cores. More gain nothing; the answer is the same."
CPU = "A level of instructions that the ARTIFACT carries, not the highest."
SHA256 = "SHA-256 of the ARTIFACT that is meant; another file is not run."
JSON = "Print one JSON document instead of text."
CSV = "Print one line an answer, with commas between, instead of text."

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def path(text: str) -> str:
    """A path on this machine, as it is.

    Raises: Refused, when it is an address in a network, since nothing is fetched.
    """
    if _ADDRESS.match(text):
        raise Refused(
            f"{text}: is an address, and depthwise opens no connection; fetch it first, with `curl -O {text}`, then"
            " give the file"
        )
    return text
