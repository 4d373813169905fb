"""facegauge: face image quality, from the photograph to a calibrated score."""

__version__ = "0.1.0"
