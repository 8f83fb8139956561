"""Deployment: systemd units of a server and how they start. Not here: settings (docs/operations.md)."""
