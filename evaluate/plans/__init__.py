"""Plans: what settles a difference, and what is worth its seconds. Decides nothing about how it is tested."""
