"""The pages and pictures of this project, which several rooms write, and the marks by which they are known."""

from __future__ import annotations

from depthwise.places import Kind, beginning

# What every page says in its head; its templates are of several rooms.
PAGE_MARK = '<meta name="generator" content="depthwise">'
# What matplotlib is to write into a PNG.
PICTURE_MARK = {"Software": "depthwise"}

PAGE = Kind(name="a page of depthwise", is_one=lambda path: PAGE_MARK.encode() in beginning(path))
PICTURE = Kind(name="a picture that depthwise drew", is_one=lambda path: b"tEXtSoftware\0depthwise" in beginning(path))
