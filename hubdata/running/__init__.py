"""What a run does, a verb a module: read, prove, look ahead, visit, share out, tell."""
