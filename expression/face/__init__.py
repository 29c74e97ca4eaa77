"""Face geometry: where a face is, its landmarks, and the one transform by which a clip is aligned and cropped."""
