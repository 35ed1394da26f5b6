"""The state database: people's actions (users, sessions, audit, settings), never incidents."""
