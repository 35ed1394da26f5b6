"""`python -m etl` is the console command `pingan`."""

from etl.cli import app

app(prog_name="pingan")
