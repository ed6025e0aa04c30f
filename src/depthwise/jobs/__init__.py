"""What a command and a call from Python do alike: each file takes one of them from its inputs to its record."""
