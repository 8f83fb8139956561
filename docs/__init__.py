"""Documentation: prose, decisions, and the generator of what is made from the catalogue and the code."""
