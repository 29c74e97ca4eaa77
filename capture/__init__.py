"""Camera to disk: a GenICam camera, a ring of frames, a recorder, and the monitor that shows them.

Start with `capture.recording.reader.Recording` to read what was recorded, and with `capture.supervisor`
to see how the processes fit together.
"""
