"""Reads labels that a lab already has: sheets of published data sets, ELAN files, CSV; and enters them into a study."""
