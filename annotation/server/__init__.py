"""The web application in which coders work: accounts, work lists, frames, answers, and the lead's rounds."""

from annotation.server.app import create_app
from annotation.server.context import Context

__all__ = ["Context", "create_app"]
