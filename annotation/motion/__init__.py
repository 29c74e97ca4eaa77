"""Motion curves for the timeline, computed in a process of its own and kept in a file."""
