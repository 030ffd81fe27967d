"""What is promised about reliability, as figures: `make reliability` plays all rows and writes docs/reliability.md.

`rows/` holds the faults, one function each; `row.py` says what a row is and what it is given, `running.py` plays one on
an event loop of its own and holds it to what holds for all, `page.py` writes the table. `raw_server.py` and
`watching.py` are the two sides that most rows stand between, and `elsewhere.py` is a server in a process of its own.
"""
