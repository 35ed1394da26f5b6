"""The weekly report: facts of a frozen issue, and the page and documents made from them."""
