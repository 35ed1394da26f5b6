"""Analysis of areas: baselines, index, hot spots, signals, forecasts, deadlines, effects."""
