"""The web process: one page, its map, its panels, and the guard in front of them."""
