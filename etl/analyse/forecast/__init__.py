"""Forecasts of the next period, and the scorecard that is kept of them."""
