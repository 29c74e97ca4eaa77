"""Elicitation: stimuli, protocol, player, participants and consent, scales and self-report."""
