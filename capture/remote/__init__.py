"""Recording on another machine: `dfme-capture --remote` sends frames, `dfme-record` takes and stores them.

The capture machine's ring is the buffer: a slot comes back only when the storage machine says that its frame is safe.
"""

from capture.remote.address import Endpoint
from capture.remote.keys import CaptureKeys, StorageKeys

__all__ = ["CaptureKeys", "Endpoint", "StorageKeys"]
