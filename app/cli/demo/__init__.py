"""`slipstream demo`: the whole thing at work, with nothing to set up."""
