"""Boundary import: read a level's file, check it, report on it, and put it into a city folder."""
