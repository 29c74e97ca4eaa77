"""Training: datasets, models, the paper's experiments, and models from the lab's own recordings."""
