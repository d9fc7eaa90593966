"""From a picture file to a page that a model can read, its lines, and the strips that a reader gets."""
