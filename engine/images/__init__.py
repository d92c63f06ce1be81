"""From a picture in a file to the array that a model expects, with Keras's rules."""
