"""What `hubdata doctor` looks at, a group of checks a file; each finds out and says what to mend, and none decides."""
