"""The rules of syncing, with no input or output.

Reading order follows the data:
values → schema → records → mappings → convert → normalize → matching → scope → merge → plan →
guards → links → health.
"""
