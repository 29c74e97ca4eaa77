"""Runs migrations on the connection that `annotation.store.database` hands over."""

from alembic import context

from annotation.store.schema import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
if connection.in_transaction():
    connection.commit()
