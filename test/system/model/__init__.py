"""An in-memory model of primary-key tables, and random schedules that compare a server with it.

Written from the description of the protocol and its formats; shares no code with the server.
"""
