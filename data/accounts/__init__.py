"""Accounts: who may sign in, by what rules, with which roles; their sessions, links and views."""
