"""A regular package: a library that installs one called ``tests`` would win over a namespace."""
