"""Facilities with inspection days, posts and units, patrol counts, and what is live of them."""
