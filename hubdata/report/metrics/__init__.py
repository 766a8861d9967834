"""What Prometheus is told: of a worker at `/metrics`, of runs that end by a textfile or a Pushgateway.

`catalogue` names every metric; `runs`, `standing` and `published` say what of them follows from a run, from how jobs
stand, and from a manifest; `series` puts what is new upon what was told before, and `exposition` writes and reads the
text. `textfile` and `pushgateway` carry it, and `trail` is what a run calls.
Only `exposition` loads the library, so that who measures nothing pays for nothing.
"""
