"""What is to be done later, whatever happens meanwhile: durable jobs."""

from app.queue.base import Job, Queue, Retries

__all__ = ["Job", "Queue", "Retries"]
