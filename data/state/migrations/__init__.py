"""Alembic's scripts: how the tables of `data.state.models` came to be, one file for each step."""
