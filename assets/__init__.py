"""What exists: Dagster assets, one module a stage, thin: take resources, call the rooms below, attach metadata.

``returns`` → ``observations`` → ``marts`` → ``publication``. Beside them ``collecting`` and ``loading``, the two places
where rooms that do not know each other are joined, ``checks`` and ``events``. Not here: SQL, parsing, HTTP.
"""
