"""Frames of a camera, a video, a pipe or a folder to labels, as they come: what `depthwise run --camera` does."""
