"""The desk of a command centre: the queue of warnings, what will be late, hot spots, evidence."""
