"""Language models for what rules and repair leave open."""
