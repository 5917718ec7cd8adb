"""The smallest whole connector, its tests and its pages: what ``twofold connector new`` copies.

It is real code, which our own tests put to the conformance suite; only its name is replaced.
"""
