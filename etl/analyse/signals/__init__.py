"""Early signals: where the last seven days hold more than was to be expected."""
