"""What annotation keeps in a database: users, recordings, clips, rounds, and answers that are only ever added."""

from annotation.store.database import Database, DatabaseUnusable

__all__ = ["Database", "DatabaseUnusable"]
