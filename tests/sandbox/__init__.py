"""Tests of the sandbox: its figures in memory, its platforms over real HTTP."""
