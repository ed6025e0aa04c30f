"""Labels of any number of images, on all cores or a cluster, a row for each: docs/many.md."""
