"""Entry point of the live service: `python -m realtime TASK`, started by `dfme-capture`."""

from __future__ import annotations

import os

# Before NumPy is loaded: its threads would fight over the cores with camera and recorder, for matrices of six by six.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from realtime.service import main  # noqa: E402

if __name__ == "__main__":
    main()
