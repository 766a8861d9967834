"""Throws bad files at every kind: none may make it raise, hang, or fill the memory."""
