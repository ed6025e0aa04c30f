"""A model or an artifact, and a folder of labelled images, to what attacks make of them."""
