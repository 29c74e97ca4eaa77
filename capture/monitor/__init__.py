"""The terminal monitor: draws the statistics of the capture processes and sends the operator's commands."""
