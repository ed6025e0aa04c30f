"""From float to int8: ranges, equalisation, bias correction, learned rounding, and the gate on accuracy."""

from depthwise.rooms import make_callable

make_callable(__name__)
