"""Registers of facilities, posts and patrol counts: from their files to tables of a snapshot."""
