"""What a message costs the client: `make bench` prints it, for rxws and for what a user would write or pick instead.

`frames.py` builds what is sent and `server.py` sends it, from a process of its own; `clients/` holds one program a
client, `rows.py` and `others.py` say which are run, `running.py` runs them in turns, `figures.py` holds the ratios to
their limits and to those recorded in `ratios.json`, `page.py` writes the tables.
"""
