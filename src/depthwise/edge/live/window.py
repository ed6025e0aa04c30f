"""A window with the newest picture, and over it its label, rate and times; with the toolkit that Python brings."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

from depthwise.edge.live.loop import STAGES, Figures, Live, Seen
from depthwise.edge.live.newest import Newest
from depthwise.edge.live.show import as_picture
from depthwise.edge.terminal import escaped
from depthwise.errors import Refused

# Seconds between looks at the keys and at what is new.
_EVERY = 1 / 60
_SIZE = (960, 720)
_KEYS = ("<q>", "<Q>", "<Escape>")
_MARGIN = 8
# The family of letters that each system shows its own texts in; sizes in points.
_FONTS = (("TkDefaultFont", 22), ("TkFixedFont", 11))


class Window:
    """A window that shows pictures until its user closes it, or types q.

    Raises: Refused, when there is no screen, or Python has no tkinter.
    """

    def __init__(self, title: str) -> None:
        try:
            import tkinter

            from PIL import ImageTk
        except ImportError as problem:
            raise Refused(
                f"--window needs tkinter and Pillow's ImageTk, which are not installed ({problem}); install python3-tk,"
                " or leave --window away"
            ) from None
        try:
            self._root: Any = tkinter.Tk()
        except tkinter.TclError as problem:
            raise Refused(f"--window: there is no screen here ({problem}); leave --window away") from None
        self._photo: Any = ImageTk.PhotoImage
        self._root.title(title)
        self._root.resizable(False, False)
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        for key in _KEYS:
            self._root.bind(key, self._close)
        self._canvas: Any = tkinter.Canvas(
            self._root, width=_SIZE[0], height=_SIZE[1], highlightthickness=0, bg="black"
        )
        self._canvas.pack()
        self._image: Any = None
        self._picture = self._canvas.create_image(0, 0, anchor="nw")
        self._back = self._canvas.create_rectangle(0, 0, 0, 0, fill="black", width=0)
        self._lines = [
            self._canvas.create_text(_MARGIN, _MARGIN, anchor="nw", fill="white", font=font, text="") for font in _FONTS
        ]
        self._is_closed = False

    def show(self, seen: Seen, figures: Figures) -> None:
        """Show a frame, as large as the window, and write over it what was seen."""
        image = as_picture(seen.frame)
        scale = min(_SIZE[0] / image.width, _SIZE[1] / image.height)
        image = image.resize((max(round(image.width * scale), 1), max(round(image.height * scale), 1)))
        if self._image is None or (self._image.width(), self._image.height()) != image.size:
            self._image = self._photo(image)
            self._canvas.itemconfigure(self._picture, image=self._image)
            self._canvas.configure(width=image.width, height=image.height)
        else:
            self._image.paste(image)
        self._write(lines_of(seen, figures))

    def _write(self, texts: tuple[str, str]) -> None:
        canvas, below = self._canvas, _MARGIN
        for line, text in zip(self._lines, texts, strict=True):
            canvas.itemconfigure(line, text=text)
            canvas.coords(line, _MARGIN, below)
            below = canvas.bbox(line)[3]
        right = max(canvas.bbox(line)[2] for line in self._lines)
        canvas.coords(self._back, 0, 0, right + _MARGIN, below + _MARGIN)

    def is_open(self) -> bool:
        """Whether it is; does what its user asked for meanwhile."""
        if not self._is_closed:
            self._root.update()
        return not self._is_closed

    def end(self) -> None:
        """Take it from the screen, in the thread that opened it.

        Tcl ends the process where another thread frees what is left of a window, as Python's collector would.
        """
        self._is_closed = True
        self._root.destroy()
        del self._root, self._canvas, self._image, self._photo
        gc.collect()

    def _close(self, event: object = None) -> None:
        del event
        self._is_closed = True


def lines_of(seen: Seen, figures: Figures) -> tuple[str, str]:
    """What is written over a frame: its label, and the rate and the median times."""
    stages = "  ".join(f"{name} {figures.stages[name].quantile(0.5) * 1e3:.1f}" for name in STAGES)
    return (
        f"{' '.join(escaped(seen.label).split())}  {seen.probability:.0%}",
        f"{figures.rate:.1f} frames/s, {seen.dropped:,} dropped\n{stages} ms, age {seen.age * 1e3:.1f} ms",
    )


def watch(window: Window, live: Live, labelled: Iterator[Seen]) -> None:
    """Show the newest of what is labelled until there is no more, or the window is closed; then `live` is, too.

    Labels come in a thread of their own: they neither wait for a picture to be drawn, nor the window for a camera.

    Raises: what ended the labels.
    """
    place = Newest(waits=False)
    thread = threading.Thread(target=place.fill, args=(labelled,), name="labels", daemon=True)
    thread.start()
    try:
        while window.is_open():
            seen = place.take(_EVERY)
            if seen is not None:
                window.show(seen, live.figures)
                # Nobody sees more pictures a second, and labels need the processor.
                time.sleep(_EVERY)
            elif place.is_closed:
                return
    finally:
        live.close()
        thread.join()
