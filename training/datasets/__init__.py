"""Data sets as samples of one type, and their aligned crops on disk."""

from training.datasets.crops import CropPlan, Crops, CropStore, default_store
from training.datasets.sample import DatasetStatistics, FrameSource, Sample, basic_only, classes_of, statistics

__all__ = [
    "CropPlan",
    "CropStore",
    "Crops",
    "DatasetStatistics",
    "FrameSource",
    "Sample",
    "basic_only",
    "classes_of",
    "default_store",
    "statistics",
]
