"""What building the package adds to it: ONNX Runtime Web for the page's private mode.

Runs for wheels and editable installs, so for ``pip install``, ``make demo``, ``make test`` and
``docker build``. Without a network the package is built without it, and the page says so.
"""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SERVE = Path(__file__).parent / "src" / "facegauge" / "serve"


class Vendored(BuildHookInterface):
    """Fetches it once and puts it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is written."""
        fetch = runpy.run_path(str(_SERVE / "vendor.py"))["fetch"]
        try:
            fetch()
        except OSError as error:
            self.app.display_warning(f"The page will have no private mode: {error}")
            return
        build_data["artifacts"].append("/src/facegauge/serve/page/vendor/*")
