"""Zenith: a production-grade, multi-tenant, async API backend."""

__version__ = "0.1.0"
