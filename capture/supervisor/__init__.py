"""The process behind `dfme-capture`: starts the others, runs trials, keeps their books, ends everything cleanly."""

from capture.supervisor.request import CaptureRequest, CaptureResult, ElicitOptions, check_folder
from capture.supervisor.supervisor import Supervisor

__all__ = ["CaptureRequest", "CaptureResult", "ElicitOptions", "Supervisor", "check_folder"]
