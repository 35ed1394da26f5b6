"""The pages beside the map: profile of an area, hot spots, index, forecast, data."""
