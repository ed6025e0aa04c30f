"""The device side: decode, resize, call the artifact. No torch, and nothing of the other stages.

Its users wait for a first answer, of which imports are the most. So what `edge.artifact` needs is loaded where it is
used, and neither `typing` nor `pathlib`, `hashlib`, `json` or `threading` on the way (docs/bench.md has the times).
"""
