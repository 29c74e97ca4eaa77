"""Runs a participant's session: step by step through the protocol, beside the process that records."""
