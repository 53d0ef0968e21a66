"""The account pages. What they do is in `accounts.flows` and its like, which the API calls too."""
