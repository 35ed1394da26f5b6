"""Send the messages of the outbox by mail and bots."""
