"""Stored tables, settings, access decisions and reference data: where the layers meet."""
