"""The worker over HTTP: how the jobs stand, for whoever asks; runs, for whoever may ask for them.

What is decided is pure (`readiness`, `pushes`, `openapi`) or small state of its own (`proof`, `repeats`, `bucket`);
`reading`, `running` and `hooks` are the endpoints, `app` puts them together, `opening` listens.
"""
