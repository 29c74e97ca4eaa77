"""Writes what was coded as data sets: DFME layout with pictures, BIDS derivatives, ELAN, CSV."""
