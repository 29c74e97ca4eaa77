"""Hardware files: one TOML per camera and rate; `capture.settings` reads them, docs/cameras.md explains them."""
