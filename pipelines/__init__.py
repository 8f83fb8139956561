"""When and with what: the code location, jobs, schedules, partitions, settings and the ``junheng`` command line.

Start at ``definitions.py``. Not here: a line that touches data.
"""
