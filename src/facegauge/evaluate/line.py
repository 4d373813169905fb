"""One line of a report: the error-versus-discard curve of one method on one set."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from facegauge.errors import InputError
from facegauge.evaluate.edc_result import Edc

Name = TypeVar("Name", bound=Hashable)

_OPTIONAL = (
    "fmr",
    "threshold",
    "pauc_low",
    "pauc_high",
    "shape",
    "kind",
    "protocol",
    "samples",
    "failures",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The curve of ``method`` on ``set_name`` with ``recogniser``, and its partial area ``pauc``.

    ``discard`` (shares 0..1, rising, first 0) and ``error`` (rates 0..1) have one value per point.
    ``pauc`` is None where it is not defined (no error to begin with), ``pauc_low`` and
    ``pauc_high`` are the ends of its interval, None when none was computed; ``fmr`` and
    ``threshold`` are None where the preset has no single one. There were ``comparisons`` with
    ``errors`` before any discard. ``shape`` is ``stairs`` or ``linear``, ``kind`` the error that is
    counted, ``protocol`` the preset in words. ``failures`` of ``samples`` had no score and left
    first. What is None or empty is not printed.

    Raises:
        InputError: an empty name, numbers out of range or not finite, lists that do not fit.
    """

    method: str
    set_name: str
    recogniser: str
    preset: str
    fmr: float | None = None
    threshold: float | None = None
    discard_limit: float
    pauc: float | None
    pauc_low: float | None = None
    pauc_high: float | None = None
    comparisons: int
    errors: int
    discard: tuple[float, ...]
    error: tuple[float, ...]
    shape: str = "stairs"
    kind: str = "FNMR"
    protocol: str = ""
    samples: int | None = None
    failures: int | None = None

    def __post_init__(self) -> None:
        for name in ("method", "set_name", "recogniser", "preset"):
            value = getattr(self, name)
            self._need(isinstance(value, str) and value.strip() != "", f"a {name}", repr(value))
        for name in ("fmr", "threshold", "pauc_low", "pauc_high", "pauc"):
            self._need(_finite(getattr(self, name)), f"a finite {name}", getattr(self, name))
        limit = self.discard_limit
        self._need(
            limit is not None and _finite(limit), "a finite number as discard_limit", repr(limit)
        )
        self._need(0 < self.discard_limit <= 1, "a discard_limit in (0, 1]", self.discard_limit)
        self._need(
            (self.pauc_low is None) == (self.pauc_high is None),
            "both ends of the interval or none",
            (self.pauc_low, self.pauc_high),
        )
        counts = (self.comparisons, self.errors)
        self._need(0 <= self.errors <= self.comparisons > 0, "0 <= errors <= comparisons", counts)
        self._need(self.shape in ("stairs", "linear"), "shape stairs or linear", repr(self.shape))
        self._check_curve()

    def _check_curve(self) -> None:
        x, y = self.discard, self.error
        self._need(
            len(x) == len(y) > 0, "as many discards as errors, at least one", (len(x), len(y))
        )
        rising = x[0] == 0 and all(a <= b for a, b in itertools.pairwise(x)) and x[-1] <= 1
        self._need(rising, "discards that rise from 0 to at most 1", f"{x[:3]}...{x[-1]}")
        self._need(all(0 <= value <= 1 for value in y), "errors in 0..1", f"{min(y)}..{max(y)}")

    def _need(self, holds: bool, expected: str, came: object) -> None:
        if not holds:
            raise InputError(
                f"A curve of {self.method!r} on {self.set_name!r} needs {expected}, got {came}. "
                "Compute it again with facegauge evaluate edc."
            )

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], set_name: str | None = None) -> Line:
        """From ``to_dict`` of a curve, or from an object of ``results.json``.

        Keys that a report has no use for are ignored. Without ``set_name`` the record must have
        one. Without a ``shape``, the preset ``crfiqa`` is linear and every other one stairs.

        Raises:
            InputError: keys that are missing, or values that do not fit.
        """
        values = {each.name: record[each.name] for each in fields(cls) if each.name in record}
        if set_name is not None:
            values["set_name"] = set_name
        names = [each.name for each in fields(cls)]
        missing = [name for name in names if name not in values and name not in _OPTIONAL]
        if missing:
            raise InputError(
                f"A curve needs the keys {', '.join(names)}, got none for {', '.join(missing)}. "
                "Pass what to_dict() of a curve gives, and the name of its set."
            )
        values.setdefault("shape", "linear" if values["preset"] == "crfiqa" else "stairs")
        try:
            for name in ("discard", "error"):
                values[name] = tuple(float(value) for value in values[name])
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"A curve needs numbers and names where they belong, got {error}. Pass what "
                "to_dict() of a curve gives."
            ) from error

    @classmethod
    def from_edc(cls, edc: Edc, set_name: str) -> Line:
        """From a curve of the engine, with its preset in words and the images without a score.

        Raises:
            InputError: the curve has no method or recogniser name.
        """
        facts = {
            "shape": str(edc.preset.shape),
            "kind": edc.preset.error.upper(),
            "protocol": str(edc.preset),
            "samples": edc.samples,
            "failures": edc.failures,
        }
        return cls.from_dict(edc.to_dict() | facts, set_name)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        return asdict(self) | {"discard": list(self.discard), "error": list(self.error)}

    @property
    def rule(self) -> str:
        """What two curves must share to stand in one table: preset, FMR, limit and error.

        Example: ``difiqa, FMR 0.001, pAUC to discard 0.3``.
        """
        rate = "" if self.fmr is None else f", FMR {self.fmr:g}"
        kind = "" if self.kind == "FNMR" else f", {self.kind}"
        return f"{self.preset}{kind}{rate}, pAUC to discard {self.discard_limit:g}"


def ordered(names: Iterable[Name]) -> tuple[Name, ...]:
    """Each name once, in order of first appearance.

    Example:
        >>> ordered(["lfw", "adience", "lfw"])
        ('lfw', 'adience')
    """
    return tuple(dict.fromkeys(names))


def _finite(value: float | None) -> bool:
    return value is None or (isinstance(value, (int, float)) and math.isfinite(value))
