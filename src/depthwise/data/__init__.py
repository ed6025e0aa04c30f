"""Folders of images and the stores that keep their pixels: what every room reads, without torch."""
