"""Notifications: what is the matter with which job, told to people once for each change."""
