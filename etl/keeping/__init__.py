"""Keeping: backup, restore, retention and frozen maps of a home."""
