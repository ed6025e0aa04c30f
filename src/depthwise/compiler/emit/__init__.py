"""A plan as C text."""
