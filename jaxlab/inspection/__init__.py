"""What happened to a program, as plain data: records, and how they read as text, HTML and JSON."""
