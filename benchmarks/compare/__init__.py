"""The same faults, played to rxws and to its nearest relatives: `make compare` writes docs/comparison.md.

`rows.py` says what happens and how the answer is read off, `server.py` is what makes it happen, `clients/` holds one
program a client, `trial.py` brings a client and a server together, `table.py` writes the page.
"""
