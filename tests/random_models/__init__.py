"""Random models of all layers, made and computed by real Keras, computed here, compared."""
