"""Which files are images, by the endings of their names; Pillow is not loaded for that."""

from __future__ import annotations

from depthwise.edge import heif

# What is read, by the names that such files have. Pillow knows more, but some of that starts other programs (EPS runs
# Ghostscript).
FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pnm": "PPM",
    ".avif": "AVIF",
}
SUFFIXES = (*FORMATS, *(heif.SUFFIXES if heif.is_installed() else ()))
