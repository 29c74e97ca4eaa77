"""Hostile input for every parser: targets, seeds made from real recordings, and a coverage-guided fuzzer over them."""
