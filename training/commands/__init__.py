"""The commands of `dfme-train`, one module each."""
