"""What the figures mean and how they are kept: catalogue, schema, loading, metrics, publishing.

Here: the catalogue (data and models), periods, the PostgreSQL schema and its migrations, loading with vintages,
derived indicators, the marts and releases. Not here: HTTP, files from outside, Dagster.
"""
