"""Files of tables: separators, sheets, archives, and tables beside a folder of files."""
