"""What of ../src belongs to `depthwise-edge`, for the builds of both distributions (decision 86)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

REPOSITORY = Path(__file__).parents[1]
FILES = ("__init__.py", "py.typed", "errors.py", "limits.py", "processor.py", "edge")
SCRIPT = {"depthwise-run": "depthwise.edge.command:main"}
LICENCES = ("LICENSE", "NOTICE")
# In the environment of a build: depthwise leaves these files to depthwise-edge, and depends on it.
APART = "DEPTHWISE_EDGE_APART"


class EdgeFiles(BuildHookInterface[Any]):
    """Puts the files of the device side into a wheel; into one of `depthwise` unless they are to come apart."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds; `version` is "editable" or "standard"."""
        is_edge = self.metadata.name == "depthwise-edge"
        if version == "editable":
            return
        if not is_edge and os.environ.get(APART) == "1":
            build_data["dependencies"].append(f"depthwise-edge=={self.metadata.version}")
            return
        if not is_edge:
            self.metadata.core.scripts.update(SCRIPT)
        added = {str(REPOSITORY / "src" / "depthwise" / name): f"depthwise/{name}" for name in FILES}
        if is_edge:
            folder = f"depthwise_edge-{self.metadata.version}.dist-info/licenses"
            added |= {str(REPOSITORY / name): f"{folder}/{name}" for name in LICENCES}
        build_data["force_include"].update(added)
