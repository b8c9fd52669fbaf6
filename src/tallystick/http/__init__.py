"""The doors for HTTP: REST, the checkout pages, and the test bank."""
