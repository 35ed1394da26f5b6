"""Letters and slips: what one could be written for, their drafts, documents, measured effect."""
