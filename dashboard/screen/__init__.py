"""The wall screen: what it tells, from the stored tables and the warnings of a scope."""
