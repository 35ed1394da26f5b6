"""Connectors: how batches come in, from files, database views and topics."""
