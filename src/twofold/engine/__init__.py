"""The shell: the only place where stages meet time, network and disk."""
