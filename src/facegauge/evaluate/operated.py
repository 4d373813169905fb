"""The operating table of one method on one set, as a report prints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from facegauge.operating import OperatingTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Operated:
    """What thresholds on the score of ``method`` do on the set ``set_name``."""

    method: str
    set_name: str
    table: OperatingTable

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values: an object of ``operating.json``."""
        return {"method": self.method, **self.table.to_dict(), "data": self.set_name}

    @property
    def caption(self) -> str:
        """Method, set, recogniser, similarity threshold and the images without a score."""
        table = self.table
        return (
            f"{self.method} on {self.set_name}, {table.recogniser or 'one recogniser'} at "
            f"similarity threshold {table.threshold:.4f}; {table.failures:,} of {table.samples:,} "
            "images have no score and are always discarded"
        )
