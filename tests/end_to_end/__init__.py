"""The command line as a process, with real parts."""
