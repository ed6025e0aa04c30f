"""A window with the picture and its label, with the toolkit that Python brings."""

from __future__ import annotations

import time
from typing import Any

from depthwise.edge.live.loop import Figures, Seen
from depthwise.edge.live.show import as_picture
from depthwise.errors import Refused

_EVERY = 1 / 30  # seconds
_LARGEST = (960, 720)


class Window:
    """Shows the newest picture."""

    def __init__(self, title: str) -> None:
        try:
            import tkinter

            self._root: Any = tkinter.Tk()
        except Exception as problem:  # no toolkit, or no screen
            raise Refused(f"--window: there is no screen or no tkinter here ({problem}); leave it away") from None
        self._root.title(title)
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        self._picture = tkinter.Label(self._root)
        self._text = tkinter.Label(self._root, font=("TkDefaultFont", 20))
        self._picture.pack()
        self._text.pack()
        self._shown = 0.0
        self._is_closed = False

    def show(self, seen: Seen, figures: Figures) -> bool:
        """Show what was seen, thirty times a second at most; False when the user has closed the window."""
        if self._is_closed or time.monotonic() - self._shown < _EVERY:
            return not self._is_closed
        self._shown = time.monotonic()
        from PIL import ImageTk

        image = as_picture(seen.frame)
        image.thumbnail(_LARGEST)
        self._image = ImageTk.PhotoImage(image)
        self._picture.configure(image=self._image)
        self._text.configure(text=f"{seen.label}  {seen.probability:.0%}   {figures.rate:.0f} frames/s")
        self._root.update()
        return not self._is_closed

    def end(self) -> None:
        """Close it."""
        if not self._is_closed:
            self._close()

    def _close(self) -> None:
        self._is_closed = True
        self._root.destroy()
