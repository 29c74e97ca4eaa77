"""What a camera process that died had put into the ring and told nobody of."""

from __future__ import annotations

from collections.abc import Iterator

import google_crc32c
import numpy as np

from capture.messages import Image, Start
from capture.ring import RingReader


def left_in_ring(ring: RingReader, start: Start, first_seq: int) -> Iterator[Image]:
    """The frames of a trial from `first_seq` on that are whole in their slots, in order.

    Only once their camera process is gone: nobody then writes to the ring any more. Checksums are taken anew, of the
    pixels as they lie there.

    Args:
        ring: The ring.
        start: What the camera process said when the trial began.
        first_seq: Place in the recording of the first frame wanted; the first that the ring still has at the earliest.
    """
    count = ring.published - start.published
    for seq in range(max(first_seq, count - ring.slots, 0), count):
        slot = (start.published + seq) % ring.slots
        version, meta = ring.meta(slot)
        if version & 1 or meta.seq != seq:
            return
        pixels = np.frombuffer(ring.pixels(slot), np.uint8)
        checksum = google_crc32c.value(pixels)
        yield Image(start.series, seq, meta.frame_id, meta.device_ns, meta.host_ns, checksum, slot)
