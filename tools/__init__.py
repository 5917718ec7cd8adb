"""The project's own checks; `make check` runs them, nothing in src/ imports them."""
