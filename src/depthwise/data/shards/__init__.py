"""Images in tar files (WebDataset shards), with an index that finds each by its place: docs/many.md."""
