"""What answers without a run, a question a module: what changed, what is public, would it pass, whose is it."""
