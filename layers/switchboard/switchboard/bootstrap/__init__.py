"""The composition root: a module for each function, which builds at the first call what the function works with.

A function imports its own module alone, so that a cold start loads nothing that only another function needs.
"""
