"""What a topic file may say, field by field. Only this folder knows pydantic; the rest of the package sees terms."""
