"""Groups of console commands, one module each."""
