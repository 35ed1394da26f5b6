"""From ledgers to a published snapshot: read, clean, locate, aggregate, publish."""
