"""The grid chief's phone: what it reads, what it draws, and what it takes in."""
