"""Annotation: coding rounds by many coders, agreement between them, the web application, and export of data sets."""
