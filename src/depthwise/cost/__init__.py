"""What a network costs, from closed formulas over the table of layers: no weights, no run, no rounding."""
