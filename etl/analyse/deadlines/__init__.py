"""Clocks of the steps of an incident: kept, missed, running, and likely to be missed."""
