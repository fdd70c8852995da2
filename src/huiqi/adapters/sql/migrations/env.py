"""How does Alembic run here? On the connection that the caller opened, in batch mode."""

from alembic import context

from huiqi.adapters.sql.all_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
