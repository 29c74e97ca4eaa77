"""A whole pilot study by one command, without people: it does what a lab does, by the commands that a lab has.

Nothing here reaches into another part: commands run as processes of their own, participant and coders answer over HTTP.
"""
