"""The network as data: its description, the table of its layers, its weights, and the numpy oracle."""
