"""One module a generated document; ``docs.generate`` writes them. Not here: any text that a person should edit."""
