"""Protected tier: counts that may be shown beyond a user's own areas, and to the public."""
