"""The pages, a module a resource."""
