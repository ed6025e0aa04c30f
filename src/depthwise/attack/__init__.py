"""How little a picture must change to be taken for something else: attacks, what judges them, what they found."""

from depthwise.rooms import make_callable

make_callable(__name__)
