"""Benchmarks: scripts that print what they measure. Not here: tests; nothing in a test waits for a clock."""
