"""The session folder: one participant's visit, with its recordings, its event log and one clock over all of it."""

from capture.session.folder import DEFAULT_OUT, Session
from capture.session.record import SESSION_FILE, ElicitationEntry, FramePlace, SessionRecord, TrialEntry

__all__ = ["DEFAULT_OUT", "SESSION_FILE", "ElicitationEntry", "FramePlace", "Session", "SessionRecord", "TrialEntry"]
