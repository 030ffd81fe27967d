"""What an order book costs: rxws' own beside cryptofeed's, on the same recorded messages."""
