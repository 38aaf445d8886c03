"""Everything durable: the only room that speaks SQL."""
