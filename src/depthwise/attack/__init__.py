"""How little a picture must change to be taken for something else: attacks, what judges them, what they found."""
