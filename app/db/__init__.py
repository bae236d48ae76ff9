"""PostgreSQL: connections, migrations and the only SQL of the house."""
