"""The service: one command that keeps a web process and a worker process alive."""
