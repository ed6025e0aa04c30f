"""Attacks that only ask: by the scores of an answer, or by its label alone."""
