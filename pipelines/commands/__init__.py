"""One module a command group of ``junheng``; each works with as little of the project as it needs."""
