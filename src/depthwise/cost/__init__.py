"""What a network costs, from closed formulas over the table of layers: no weights, no run, no rounding."""

from depthwise.rooms import make_callable

make_callable(__name__)
