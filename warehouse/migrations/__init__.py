"""Schema migrations (Alembic). :mod:`warehouse.migrating` runs them; not here: the tables as queries see them."""
