"""Queue triggers as the storage queues extension serves them: poll, back off, run, delete, retry, give up."""
