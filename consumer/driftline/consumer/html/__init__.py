"""What is shown becomes one HTML file: the page's own modules and styles, and the data, inlined."""
