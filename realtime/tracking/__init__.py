"""Finds the participant's face a few times a second, and says when there is none to read."""

from realtime.tracking.tracker import FaceState, FaceTracker, Sighting

__all__ = ["FaceState", "FaceTracker", "Sighting"]
