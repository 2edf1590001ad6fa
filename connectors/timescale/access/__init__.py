"""Who may do what in the database, and what makes it so."""
