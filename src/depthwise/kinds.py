"""What this project writes and several rooms must know, and the marks by which it is known."""

from __future__ import annotations

from depthwise.places import Kind, beginning, end

# What every page says in its head; its templates are of several rooms.
PAGE_MARK = '<meta name="generator" content="depthwise">'
# What matplotlib is to write into a PNG.
PICTURE_MARK = {"Software": "depthwise"}

PAGE = Kind(name="a page of depthwise", is_one=lambda path: PAGE_MARK.encode() in beginning(path))
PICTURE = Kind(name="a picture that depthwise drew", is_one=lambda path: b"tEXtSoftware\0depthwise" in beginning(path))

# The beginning of an artifact's last bytes (docs/artifact.md), and what of it every version of them has.
ARTIFACT_MARK = b"DWTRAIL2"
# Trailers of the first version had 56 bytes.
ARTIFACT = Kind(name="an artifact", is_one=lambda path: ARTIFACT_MARK[:-1] in end(path, 64))
