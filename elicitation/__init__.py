"""Elicitation: stimuli, protocol, player, participants and consent, scales and self-report."""

import warnings

# pysdl2 warns that it uses the library that is installed for it, which is as it should be.
warnings.filterwarnings("ignore", message="Using SDL2 binaries", category=UserWarning)
