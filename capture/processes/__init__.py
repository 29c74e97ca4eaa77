"""The supervisor's child processes on the recording path: the camera's and the recorder's, and what they share."""
