"""Handlers of durable jobs: they do later what requests have asked for."""
