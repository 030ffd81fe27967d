"""One program a client, as a user would write it: it takes klines, keeps the closed ones, and buffers them by 100.

Each is started with the URL and the number of klines that will come, and prints what `meter.py` saw as a line of JSON.
"""
