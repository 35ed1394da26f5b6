"""Open warnings from what a snapshot shows, and escalate those that run out of time."""
