"""What trading costs a price: published models, in floats; money is made of them elsewhere."""
