"""Facial motion: dense flow against a reference frame, displacement of regions, strain, and texture change."""
