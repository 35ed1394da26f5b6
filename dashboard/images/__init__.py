"""Maps drawn on the server, without a browser: for files and for reports."""
