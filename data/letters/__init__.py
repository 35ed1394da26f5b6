"""Letters and slips: drafted from a frozen issue, edited and signed by people, measured later."""
