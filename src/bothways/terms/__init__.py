"""Ground: the words of the field as frozen dataclasses; no behaviour beyond arithmetic on themselves."""
