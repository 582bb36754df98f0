"""bothways."""
