"""Features and labels joined: what a model is trained and evaluated on."""
