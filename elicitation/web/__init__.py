"""The participant's pages: scales, self-report and questionnaire, in a browser on the participant's screen."""
