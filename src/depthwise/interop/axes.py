"""Which axis of a value holds what, as a graph transposes, reshapes and takes means; ONNX and TFLite share this.

An operation is understood by what it does at its place: a transpose before the first convolution may be the layout of
the input or may turn the picture, and one behind the pool moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Affine, Chain, Clamp, Copies, Norm, Operation, Pad, Pool, Reshape
from depthwise.network.layers import Padding
from depthwise.network.weights import Array

# What an axis holds: images, channels, height, width, or nothing (it has one place). Joined axes join their letters.
IMAGES, CHANNELS, HEIGHT, WIDTH, NOTHING = "N", "C", "H", "W", "1"
# Before the first convolution, an axis that the input has not.
ADDED = "+"
FIRST = (IMAGES, CHANNELS, HEIGHT, WIDTH)
LAST = (IMAGES, HEIGHT, WIDTH, CHANNELS)
_PIXELS = (HEIGHT, WIDTH, HEIGHT + WIDTH)


class Axes:
    """The axes of the value that a walk has come to.

    Before the first convolution they are the digits of the input's axes, as nothing says yet which of them holds what.
    """

    def __init__(self, sizes: Sequence[int | None]) -> None:
        """Args: sizes: of the input's four axes, None where the file leaves it open."""
        self._sizes = tuple(sizes)
        self.now: tuple[str, ...] = tuple(str(axis) for axis in range(len(sizes)))
        self.channels: int | None = None
        # Input axes that operations before the first convolution take for the channels, and who does.
        self._taken: list[tuple[str, str]] = []
        self._halfway: tuple[str, bool] | None = None
        self._begun = False
        # Rows and columns of zeros on each side of input axes, before the first convolution says which those are.
        self._pads: dict[str, tuple[int, int]] = {}
        self._padder = ""
        # Of input axes that had one place: how many equal ones they have by now.
        self._copied: dict[str, int] = {}

    def size(self, axis: int) -> int | None:
        """Length of an axis before the first convolution, None where the file leaves it open."""
        letter = self.now[axis]
        return self._copied.get(letter, 1 if letter == ADDED else self._sizes[int(letter)])

    @property
    def shape(self) -> list[int | None]:
        """Lengths of all axes before the first convolution, None where the file leaves them open."""
        return [self.size(axis) for axis in range(len(self.now))]

    @property
    def begun(self) -> bool:
        """Whether the first convolution has been met."""
        return self._begun

    def place(self, axis: int, where: str) -> int:
        """An axis counted from the front.

        Raises: Refused, when the value has no such axis.
        """
        if not -len(self.now) <= axis < len(self.now):
            raise Refused(f"{where} is over axis {axis} of {len(self.now)}; it is damaged")
        return axis % len(self.now)

    def take_channels(self, axis: int, where: str, does: str) -> None:
        """Note that an operation does something along an axis, which must be the channels.

        Raises: Refused, when it is another axis.
        """
        letter = self.now[self.place(axis, where)]
        if not self._begun:
            self._taken.append((letter, f"{where} {does}"))
        elif letter != CHANNELS:
            raise Refused(f"{where} {does}; MobileNet V1 does so along the channels only")

    def copy(self, shape: Sequence[int | None], where: str) -> list[Operation]:
        """The same values so many times along each axis, None or 1 where it stays: one grey channel as several.

        Raises: Refused, when anything but a single channel is copied, or behind the first convolution.
        """
        # Axes may be put in before all others.
        times = dict(enumerate(shape, start=len(self.now) - len(shape)))
        grown = [axis for axis, count in times.items() if count not in (None, 1)]
        if not grown and min(times, default=0) >= 0:
            return []
        if self._begun or len(grown) != 1 or min(times) < 0 or self.size(grown[0]) != 1:
            raise Refused(f"{where} copies its data; MobileNet V1 has one channel, or three that are given")
        self.take_channels(grown[0], where, "copies rows or columns")
        count = times[grown[0]]
        self._copied[self.now[grown[0]]] = int(count or 1)
        return [Copies(where=where, times=int(count or 1))]

    def along_channels(self, values: Array, where: str) -> Array:
        """A constant that is joined with the data: one number, or one a channel (C,).

        Raises: Refused, when it has one for each pixel, row or column.
        """
        if values.size == 1:
            return values.reshape(())
        (along,) = np.flatnonzero(np.array(values.shape) > 1) if values.size == max(values.shape) else (-1,)
        if along < 0 or values.ndim > len(self.now):
            raise Refused(f"{where} has a number for each pixel; MobileNet V1 has one a channel")
        does = "has a number for each row or column"
        axis = len(self.now) - values.ndim + int(along)
        self.take_channels(axis, where, does)
        if not self._begun and self.size(axis) == 1:
            # One channel becomes several, as constants are stretched.
            self._copied[self.now[axis]] = values.size
        return values.reshape(-1)

    def convolve(self, layout: tuple[str, ...], chain: Chain, channels: int, where: str) -> list[Operation]:
        """A convolution that takes its input in `layout` and has so many outputs.

        The first one says what the input's axes are: `chain` gets its size, and whether pictures are turned.

        Returns: the padding that came before the first one.
        Raises: Refused, when the value is in another layout.
        """
        pads: list[Operation] = []
        if self._begun:
            if tuple(axis if axis in layout else NOTHING for axis in self.now) != layout and not self._is_pixel(layout):
                raise Refused(f"{where} reads {_named(self.now)} as {_named(layout)}; MobileNet V1 turns nothing")
        else:
            pads = self._begin(layout, chain, where)
        self.now, self.channels = layout, channels
        return pads

    def pad(self, sides: Sequence[tuple[int, int]], where: str) -> list[Operation]:
        """Zeros before and behind each axis: padding of the convolution that follows.

        Raises: Refused, when images or channels are padded, too.
        """
        if len(sides) != len(self.now):
            raise Refused(f"{where} pads {len(sides)} axes of {len(self.now)}; it is damaged")
        for letter, pair in zip(self.now, sides, strict=True):
            if any(pair) and self._begun and letter not in (HEIGHT, WIDTH):
                raise Refused(f"{where} is no padding of height and width; MobileNet V1 has no other")
        found = {letter: pair for letter, pair in zip(self.now, sides, strict=True) if any(pair)}
        if self._begun:
            return [Pad(where=where, padding=_padding(found, HEIGHT, WIDTH))]
        if self._pads and found:
            raise Refused(f"{where} pads a second time; MobileNet V1 pads once")
        self._pads, self._padder = found or self._pads, where
        return []

    def check(self, operation: Operation) -> None:
        """Refuse arithmetic between padding and the first convolution: it would change the zeros.

        Raises: Refused, naming the padding.
        """
        if self._pads and not self._begun and isinstance(operation, Affine | Norm | Clamp):
            raise Refused(f"{self._padder} pads what is no convolution's input; MobileNet V1 has no such layer")

    def _is_pixel(self, layout: tuple[str, ...]) -> bool:
        """Whether there is nothing but channels, where the layout has them."""
        return len(self.now) == len(layout) and self.now[layout.index(CHANNELS)] == CHANNELS and not self._pixels()

    def _begin(self, layout: tuple[str, ...], chain: Chain, where: str) -> list[Operation]:
        if len(self.now) != len(layout):
            raise Refused(f"{where} takes {len(self.now)} axes; MobileNet V1 convolves images in four")
        axes = dict(zip(layout, self.now, strict=True))
        if axes[IMAGES] != "0" or axes[CHANNELS] == "2":
            raise Refused(f"{where} has axis {axes[CHANNELS]} of the input as its channels; they are axis 1 or 3")
        for letter, what in self._taken:
            if letter != axes[CHANNELS]:
                raise Refused(f"{what}, before the first convolution; MobileNet V1 does so along the channels only")
        # Rows that became columns: the same as rows that stay and kernels that are turned, here and further on.
        chain.turned = int(axes[HEIGHT]) > int(axes[WIDTH])
        upright = sorted((axes[HEIGHT], axes[WIDTH]))
        chain.height, chain.width = (self._sizes[int(axis)] for axis in upright)
        chain.channels = self._sizes[int(axes[CHANNELS])]
        self._begun = True
        if not self._pads:
            return []
        if not set(self._pads) <= {axes[HEIGHT], axes[WIDTH]}:
            raise Refused(f"{self._padder} is no padding of height and width; MobileNet V1 has no other")
        return [Pad(where=self._padder, padding=_padding(self._pads, axes[HEIGHT], axes[WIDTH]))]

    def transpose(self, order: Sequence[int] | None, where: str) -> None:
        """Axes in another order; turned round where `order` is None.

        Raises: Refused, when the order is none.
        """
        chosen = tuple(order) if order is not None else tuple(range(len(self.now)))[::-1]
        if sorted(chosen) != list(range(len(self.now))):
            raise Refused(f"{where} puts {len(self.now)} axes in the order {chosen[:6]}; it is damaged")
        self.now = tuple(self.now[axis] for axis in chosen)

    def reduce(self, axes: Sequence[int], *, keep: bool, total: bool, where: str) -> list[Operation]:
        """A mean or, where `total`, a sum over axes: the pool, once height and width are both gone.

        Raises: Refused, when it is over anything else.
        """
        places = {self.place(axis, where) for axis in axes}
        letters = "".join(sorted(self.now[place] for place in places if self.now[place] != NOTHING))
        done, before = self._halfway or ("", total)
        if not self._begun or set(letters + done) - {HEIGHT, WIDTH} or before != total:
            raise Refused(f"{where} is over axes {list(axes)[:6]}; MobileNet V1 takes one mean, over height and width")
        self.now = tuple(
            NOTHING if place in places else letter
            for place, letter in enumerate(self.now)
            if keep or place not in places
        )
        if letters and not self._pixels():
            self._halfway = None
            return [Pool(where=where, total=total)]
        self._halfway = (done + letters, total) if letters or done else None
        return []

    def pooled(self, where: str) -> None:
        """A pool whose window is the whole image: height and width have one place each.

        Raises: Refused, when a mean over one of them came before.
        """
        if self._halfway is not None:
            raise Refused(f"{where} takes a mean behind another; MobileNet V1 takes one")
        self.now = tuple(NOTHING if letter in _PIXELS else letter for letter in self.now)

    def squeeze(self, axes: Sequence[int] | None, where: str) -> list[Operation]:
        """Axes of one place left out, all of them where `axes` is None."""
        if not self._begun:
            return self._reshape_grey(self._without(axes, where), f"{where} leaves out axes of the image")
        if axes is None:
            places = {place for place, letter in enumerate(self.now) if letter == NOTHING or letter in _PIXELS}
        else:
            places = {self.place(axis, where) for axis in axes}
        if any(self.now[place] in (CHANNELS,) for place in places):
            raise Refused(f"{where} leaves out the channels; MobileNet V1 has more than one")
        flat = self._pixels() != ""
        left = [letter for place, letter in enumerate(self.now) if place not in places]
        self.now = tuple(NOTHING if letter in _PIXELS and flat else letter for letter in left)
        return [Reshape(where=where)] if flat else []

    def unsqueeze(self, axes: Sequence[int], where: str) -> None:
        """Axes of one place put in.

        Raises: Refused, before the first convolution, or for places that are none.
        """
        length = len(self.now) + len(axes)
        places = {axis % length for axis in axes if -length <= axis < length}
        if len(places) != len(axes):
            raise Refused(f"{where} adds axes {list(axes)[:6]}; it is damaged")
        if not self._begun:
            sizes = iter(self.shape)
            wanted = [1 if place in places else next(sizes) for place in range(length)]
            self._reshape_grey(wanted, f"{where} adds axes {list(axes)[:6]}")
            return
        rest = iter(self.now)
        self.now = tuple(NOTHING if place in places else next(rest) for place in range(length))

    def reshape(self, shape: Sequence[int] | None, where: str) -> list[Operation]:
        """The same numbers in another shape (-1 for what is left, 0 for as it was), or None for one line an image.

        Returns: a `Reshape` where rows, columns and channels are joined, which only one pixel survives.
        Raises: Refused, when it moves numbers where there is more than one.
        """
        if not self._begun:
            does = f"{where} reshapes the image before the first convolution"
            return [] if shape is not None and self._same_sizes(shape) else self._reshape_grey(shape, does)
        if shape is not None and self._spreads(shape):
            return []
        found = self._pixels() != ""
        self.now = (IMAGES, CHANNELS) if shape is None else self._around_channels(shape, where)
        return [Reshape(where=where)] if found else []

    def _pixels(self) -> str:
        return "".join(letter for letter in self.now if letter in _PIXELS)

    def _same_sizes(self, shape: Sequence[int]) -> bool:
        sizes = self.shape
        kept = [wanted in (0, size) for wanted, size in zip(shape, sizes, strict=False)]
        # The number of images may be -1, and one other size may be left to be found.
        free = [place for place, wanted in enumerate(shape) if wanted == -1]
        same = all(fits or place in (0, *free[:1]) for place, fits in enumerate(kept))
        return len(shape) == len(sizes) and same

    def _without(self, axes: Sequence[int] | None, where: str) -> list[int | None]:
        """The shape without axes of one place, all but that of images where `axes` is None."""
        shape = self.shape
        gone = (
            {place for place, size in enumerate(shape) if size == 1 and place}
            if axes is None
            else {self.place(axis, where) for axis in axes}
        )
        return [size for place, size in enumerate(shape) if place not in gone]

    def _reshape_grey(self, shape: Sequence[int | None] | None, does: str) -> list[Operation]:
        """Axes of one place put in, left out or elsewhere, as only the channel of a grey picture has it.

        No number moves where all other axes stay in their order. An axis of copies is that of the channel it copies.
        Raises: Refused, when anything else is done.
        """
        sizes = dict(zip(self.now, self.shape, strict=True))
        long = [letter for letter in self.now[1:] if sizes[letter] != 1]
        short = [letter for letter in self.now[1:] if sizes[letter] == 1]
        kept = [*self.shape, *(0 for _ in shape or ())]
        target = [kept[place] if n == 0 else n for place, n in enumerate(shape or ())]
        wanted = [n for n in target[1:] if n != 1]
        fits = len(wanted) == len(long) and all(n in (-1, sizes[x]) for n, x in zip(wanted, long, strict=True))
        if self.now[0] != "0" or not target or target[0] not in (-1, 1, sizes["0"]) or not fits:
            raise Refused(f"{does}; MobileNet V1 takes it as it is")
        ones = len(target) - 1 - len(wanted)
        channel = next((letter for letter in short if letter != ADDED), None)
        if ones < len(short) and ADDED in long and channel is not None:
            long[long.index(ADDED)] = channel
            short.remove(channel)
            self._copied[channel] = self._copied.pop(ADDED)
            self._taken = [(channel if letter == ADDED else letter, what) for letter, what in self._taken]
        elif ones < len(short) and ADDED in short:
            short.remove(ADDED)
        elif ones > len(short) and ADDED not in (*long, *short):
            short.append(ADDED)
        if ones != len(short):
            raise Refused(f"{does}; MobileNet V1 takes it as it is")
        places = iter(long), iter(short)
        self.now = ("0", *(next(places[n == 1]) for n in target[1:]))
        return []

    def _spreads(self, shape: Sequence[int]) -> bool:
        """Whether a shape leaves all axes as they are, or joins height and width, and says so."""
        if self._halfway is not None or not self._pixels():
            return False
        if len(shape) == len(self.now) and shape[self.now.index(CHANNELS)] in (0, self.channels):
            return not [n for n, letter in zip(shape, self.now, strict=True) if letter in _PIXELS and n == 1]
        joined = HEIGHT + WIDTH
        for before, after in ((FIRST, (IMAGES, CHANNELS, joined)), (LAST, (IMAGES, joined, CHANNELS))):
            fits = self.now == before and len(shape) == len(after)
            if fits and shape[after.index(CHANNELS)] in (0, self.channels) and shape[after.index(joined)] != 1:
                self.now = after
                return True
        return False

    def _around_channels(self, shape: Sequence[int], where: str) -> tuple[str, ...]:
        """A shape that has channels and nothing else for each image."""
        for place in reversed(range(len(shape))):
            others = [n for other, n in enumerate(shape) if other not in (0, place)]
            first = place == 0 or shape[0] in (-1, 0, 1)
            if first and shape[place] in (-1, 0, self.channels) and all(n == 1 for n in others):
                return tuple(CHANNELS if at == place else IMAGES if at == 0 else NOTHING for at in range(len(shape)))
        raise Refused(f"{where} makes shape {list(shape)[:6]} of {self.channels} channels; MobileNet V1 does not")


def _padding(sides: dict[str, tuple[int, int]], height: str, width: str) -> Padding:
    (top, bottom), (left, right) = sides.get(height, (0, 0)), sides.get(width, (0, 0))
    return Padding(top=top, bottom=bottom, left=left, right=right)


def _named(axes: tuple[str, ...]) -> str:
    names = {IMAGES: "images", CHANNELS: "channels", HEIGHT: "height", WIDTH: "width", NOTHING: "1"}
    return f"({', '.join(names.get(letter, letter) for letter in axes)})"
