"""What is to be told outside: messages, the channels they go by, and what became of each."""
