"""Places: frames, cells, divisions, boundaries, point in polygon and vector tiles."""
