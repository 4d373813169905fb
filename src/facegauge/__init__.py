"""facegauge: face image quality, from the photograph to a calibrated score."""

from facegauge.alignment import align
from facegauge.batch import score_images
from facegauge.errors import FacegaugeError
from facegauge.score_row import ScoreRow
from facegauge.score_table import read_scores
from facegauge.scoring import Scorer
from facegauge.tables import LandmarkTable, read_landmarks
from facegauge.values import Assessment, Box, Face, Landmarks, Outcome, Pixels

__version__ = "0.1.0"

__all__ = [
    "Assessment",
    "Box",
    "Face",
    "FacegaugeError",
    "LandmarkTable",
    "Landmarks",
    "Outcome",
    "Pixels",
    "ScoreRow",
    "Scorer",
    "align",
    "read_landmarks",
    "read_scores",
    "score_images",
]
