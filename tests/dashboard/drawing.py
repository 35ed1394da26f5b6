"""What the map is sent, by the address that asks for it."""

from dashboard.map.drawn import draw_map


def drawn_values(scope, snapshot, search):
    """Values of the main layer, as the browser gets them."""
    return draw_map(scope, snapshot, search=search, fragment="", resolution=None)["values"]
