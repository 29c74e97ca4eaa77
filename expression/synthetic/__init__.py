"""Simulated participants: rendered faces whose every micro-expression is known to the frame."""
