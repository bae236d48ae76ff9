"""Does the jobs of the queue: any number of workers, side by side."""
