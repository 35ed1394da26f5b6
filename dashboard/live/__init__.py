"""What open screens ask for every two seconds: the difference to what they have, no more."""
