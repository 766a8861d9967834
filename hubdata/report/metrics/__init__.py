"""What Prometheus is told: of a worker at `/metrics`, of runs that end by a textfile or a Pushgateway.

`catalogue` names every metric, `runs` and `jobs` say what of them follows from a run and from how jobs stand, `series`
puts what is new upon what was told before, and `exposition` writes and reads the text; the other modules carry it.
Only `exposition` loads the library, so that who measures nothing pays for nothing.
"""
