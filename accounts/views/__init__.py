"""The account pages. What they do is in `accounts.flows`, which the API calls too."""
