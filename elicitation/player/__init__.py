"""The stimulus player: one process that shows videos on the participant's screen and says when each frame appeared."""
