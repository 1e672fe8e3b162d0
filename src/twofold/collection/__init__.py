"""The collection: `Collection`, the object that users work with. It delegates to the floors below."""
