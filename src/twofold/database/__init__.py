"""SQLite files with one writer, numbered migrations and coded errors: for store and hub alike."""
