"""The commands of `dfme-annotate`, one module each."""
