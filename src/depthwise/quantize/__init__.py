"""From float to int8: ranges, equalisation, bias correction, learned rounding, and the gate on accuracy."""
