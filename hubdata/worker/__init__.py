"""The worker: the jobs, each on its schedule, in one process that runs for years."""
