"""Finishing on a farm: sources go to the workers of a Dask scheduler, and finished files come back.

What crosses is a source's bytes and its settings, never a key, and nothing there is paid for. `at_the_worker` and
`makings` are what its workers do; `crossing` is what both sides know; the rest is the run's side.
"""
