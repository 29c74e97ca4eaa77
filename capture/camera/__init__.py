"""A GenICam camera: opened, set up from a hardware file, read back, and fetched from frame by frame.

Only the camera process imports this package: the GenTL binding holds the interpreter lock while it waits.
"""

from capture.camera.camera import Camera, CameraDescription, ProducerCounters
from capture.camera.raw_fetch import Delivery

__all__ = ["Camera", "CameraDescription", "Delivery", "ProducerCounters"]
