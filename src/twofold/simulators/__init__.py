"""Simulators of large apps: stateful servers to rehearse with, and for the tests of connectors.

Each takes what the vendor's documented grammar allows, refuses what the vendor would refuse, and
can be told to fail in the documented ways. Nothing of a vendor's text is in them.
"""
