"""The collection: the one object that people hold. It delegates; the work is done on the floors below."""
