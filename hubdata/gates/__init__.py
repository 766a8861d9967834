"""Programs that a target's `gate` may name: each looks at a candidate tree once more, with somebody else's eyes."""
