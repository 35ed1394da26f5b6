"""The audit: who did what when, in rows that are only appended and that prove each other."""

from data.audit.log import AuditError, AuditLog

__all__ = ["AuditError", "AuditLog"]
