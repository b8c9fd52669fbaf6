"""The portal: what a customer sees of its own, and changes. GET shows, POST does."""
