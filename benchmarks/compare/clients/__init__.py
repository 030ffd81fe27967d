"""One program a client, each started as a process of its own: ROW URL [VARIANT].

They say on stdout what a user of the client would get to know, as lines of JSON; a line on stdin ends the stream, the
end of stdin ends the program.
"""
