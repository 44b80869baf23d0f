"""Plans: how many prompts and images settle a difference, from a pilot. Decides nothing about how it is tested."""
