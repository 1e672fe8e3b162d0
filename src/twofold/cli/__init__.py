"""The command line, a face over the library: parse, call, print. One file a command; nothing here can do more than a
library user can."""
