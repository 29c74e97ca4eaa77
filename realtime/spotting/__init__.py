"""Finds expressions in a stream of aligned face crops, and tells them from blinks, gaze, swallowing and head turns."""
