"""A model as a chain of plain operations, the same for every machine."""
