"""Models of Keras and TensorFlow.js."""
