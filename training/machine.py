"""Where training runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """Which devices train, and how many processes feed them."""

    accelerator: str = "auto"
    """`auto`, `cpu` or `gpu`."""
    devices: int | str = "auto"
    workers: int = 0
    """Processes that load clips; 0 loads them in the training process."""
    threads: int | None = None
    """Of the processor; None leaves it to torch."""
