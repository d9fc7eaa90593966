"""From a picture file to a page that a model can read, and the line heatmap of a page."""
