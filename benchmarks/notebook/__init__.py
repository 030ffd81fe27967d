"""What a live chart costs: the kernel, the page, and the time from a value's arrival until it is seen."""
