"""All of keras.applications, with seeded random weights, against TensorFlow."""
