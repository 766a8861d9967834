"""Tests of the publishing protocol, on the simulator."""
