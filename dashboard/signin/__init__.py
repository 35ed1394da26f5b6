"""Sign-in: local accounts, outside providers, the demonstration."""
