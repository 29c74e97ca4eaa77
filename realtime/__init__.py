"""Live readout: a tracked face, expressions spotted in the stream, recognised by a network, each with its latency."""
