"""The REST API: everything that a person can do, over the services that the commands use."""
