"""What the server tells the map in the browser: the view, and one value per area or cell."""
