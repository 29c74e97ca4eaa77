"""Coded expressions, from a study's database or from label files of data sets: one type for export and statistics."""

from annotation.coded.sample import CodedSample

__all__ = ["CodedSample"]
